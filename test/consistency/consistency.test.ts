import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { underLongLag, underSteadyLag } from './lag.ts';
import { problemsOf, report } from './report.ts';
import { run } from './run.ts';

const seed = Number(process.env['FC_SEED'] ?? 20_261_121);

describe.each(flavors)('on %s, reads', (flavor) => {
  let cluster: OwnedCluster;

  beforeAll(async () => {
    cluster = await startCluster({ flavor, statementLog: false });
  });
  afterAll(() => cluster.stop());

  it('run on replicas, nine times of ten at least, when these are 5 ms late', async () => {
    const { reads } = await underSteadyLag(cluster, {
      lagMs: 5,
      seed,
      clients: 4,
      statements: 150,
    });
    const primary = Object.values(reads.primary).reduce((sum, count) => sum + count, 0);
    expect(reads.replica + reads.waited).toBeGreaterThan(9 * primary);
    // The lag was there.
    expect(reads.waited).toBeGreaterThan(0);
  });

  it('run on the primary only in scopes whose writes no replica has', async () => {
    const lag = { seconds: 600, isCutShort: true, scopes: 4, reads: 10 };
    const { behind, caughtUp } = await underLongLag(cluster, lag);
    const onReplicas = { replica: 40, waited: 0, waitedMs: 0, primary: {} };
    expect(behind).toMatchObject({
      readers: onReplicas,
      writers: { replica: 0, waited: 0, primary: { 'replicas-behind': 40 } },
    });
    expect(caughtUp.readers).toEqual(onReplicas);
    expect(caughtUp.writers).toEqual(onReplicas);
  });

  it('find what was written, and never go back in a scope, while replicas lag and die', async () => {
    const outcome = await run({
      cluster,
      seed,
      operations: 2000,
      clients: 6,
      // One replica stays a second late to the end, so that 'eventual' has something to miss.
      faults: ['kill', 'cut'],
      quiet: 2000,
      both: 0,
    });
    console.log(`consistency, ${flavor}, seed ${seed}:\n${report(outcome)}`);
    // It also tells of too little: nothing to check in a part, no stale read with 'eventual'.
    expect(problemsOf(outcome)).toEqual([]);
    for (const { operations, reads } of Object.values(outcome.parts)) {
      expect(operations).toBeGreaterThanOrEqual(400);
      expect(reads.replica + reads.waited).toBeGreaterThan(10);
    }
  }, 120_000);
});
