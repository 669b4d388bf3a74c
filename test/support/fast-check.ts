import fc from 'fast-check';

// The same cases in every run, so that a change is what makes a test fail. `FC_SEED=7 npx vitest run …`
// looks elsewhere; a failure prints the seed that repeats it.
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_261_120) });
