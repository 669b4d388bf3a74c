import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { type Fate, Ledger } from './ledger.ts';

/** What the ledger says of writes that servers have so many times. */
describe.each(flavors)('on %s, the ledger', async (flavor) => {
  const { primary } = sharedCluster(flavor);
  const { name: database } = await freshDatabase(sharedCluster(flavor));

  it.each([
    ['acknowledged', 1, []],
    ['acknowledged', 0, ['1 acknowledged writes are lost: 1']],
    ['acknowledged', 2, ['1 writes were carried out more than once: 1']],
    ['refused', 0, []],
    ['refused', 1, ['1 writes that failed are there all the same: 1']],
    ['unknown', 0, []],
    ['unknown', 1, []],
    ['unknown', 2, ['1 writes were carried out more than once: 1']],
    ['open', 0, ['1 writes were never answered: 1']],
  ] as const)('of a write that is %s and there %i times: %j', async (fate, times, expected) => {
    await primary.query(`DROP TABLE IF EXISTS ${database}.entry`);
    await primary.query(`CREATE TABLE ${database}.entry (id INT)`);
    const ledger = new Ledger();
    const id = ledger.next();
    ledger.note([id], fate satisfies Fate);
    for (let left = times; left > 0; left--) {
      await primary.query(`INSERT INTO ${database}.entry VALUES (?)`, [id]);
    }
    const { counts, problems } = await ledger.verify({ primary, database });
    expect(problems).toEqual(expected);
    expect(counts[fate]).toBe(1);
  });
});
