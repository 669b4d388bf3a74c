import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { missedBars, report } from './report.ts';
import { runCorpus } from './run.ts';

// All of it: pnpm test:corpus.
const sample = { sample: 120, seed: 20, maxStatements: 300 };

describe.concurrent('reads of the servers’ own test suites', () => {
  it.each(flavors)(
    'of %s go where the server itself says',
    async (flavor) => {
      const figures = await runCorpus({ flavor, ...sample });
      expect(figures.toReplica, report(flavor, figures)).toBeGreaterThan(100);
      expect(missedBars(figures), report(flavor, figures)).toEqual([]);
    },
    300_000,
  );
});
