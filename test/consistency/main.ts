/**
 * Checks what reads see after writes, on real servers whose replicas lag, hang and die:
 *
 *     npm run test:consistency -- [--flavor mysql|mariadb] [--operations n] [--seed n] [--clients n]
 *
 * Exit code 1 if a promise is broken, or if `'eventual'` shows no stale read. With `--lag`: where reads
 * run under a steady lag of 5 ms, and under one of 10 s.
 */
import { parseArgs } from 'node:util';
import { type Flavor, flavors } from '../support/servers/flavor.ts';
import { startCluster } from '../support/servers/start-cluster.ts';
import { underLongLag, underSteadyLag } from './lag.ts';
import { faults } from './nemesis.ts';
import { problemsOf, report, reportLag } from './report.ts';
import { run } from './run.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string' },
    operations: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '12' },
    lag: { type: 'boolean', default: false },
    faults: { type: 'string', default: faults.join(',') },
  },
});

const chosen = flavors.filter((flavor) => values.flavor === undefined || values.flavor === flavor);
if (chosen.length === 0) throw new Error(`--flavor is one of ${flavors.join(', ')}`);
const allowed = faults.filter((fault) => values.faults.split(',').includes(fault));
if (allowed.length === 0) throw new Error(`--faults are some of ${faults.join(', ')}`);

// Replicas that go down are the point here.
process.removeAllListeners('warning');

for (const flavor of chosen) await (values.lag ? measureLag(flavor) : runOn(flavor));

async function runOn(flavor: Flavor): Promise<void> {
  await using cluster = await startCluster({ flavor, statementLog: false });
  const start = performance.now();
  const outcome = await run({
    cluster,
    seed: Number(values.seed),
    operations: Number(values.operations),
    clients: Number(values.clients),
    faults: allowed,
    quiet: 1000,
    both: 0.25,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${flavor} ${cluster.version}, seed ${values.seed}, ${seconds} s`);
  console.log(report(outcome));
  const problems = problemsOf(outcome);
  if (problems.length > 0) process.exitCode = 1;
  for (const problem of problems) console.log(`WRONG: ${problem}`);
}

async function measureLag(flavor: Flavor): Promise<void> {
  await using cluster = await startCluster({ flavor, statementLog: false });
  const seed = Number(values.seed);
  const steady = await underSteadyLag(cluster, { lagMs: 5, seed, clients: 12, statements: 1000 });
  const long = await underLongLag(cluster, {
    seconds: 10,
    isCutShort: false,
    scopes: 12,
    reads: 50,
  });
  console.log(`${flavor} ${cluster.version}, seed ${seed}`);
  console.log(reportLag(5, steady, long));
}
