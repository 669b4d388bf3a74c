import { createReplicatedPool, type ReplicatedPool } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closed, on, tell } from '../core/hosts/pool-bed.ts';
import { app } from '../support/servers/accounts.ts';
import type { Group } from '../support/servers/group.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import { startGroup, whyNoGroup } from '../support/servers/start-group.ts';

const noGroup = await whyNoGroup();
if (noGroup !== undefined) {
  process.emitWarning(noGroup);
}

const patient = { timeout: 30_000 };

describe.skipIf(noGroup !== undefined)('a group of which one member is configured', () => {
  let group: Group;
  let pool: ReplicatedPool;

  beforeAll(async () => {
    group = await startGroup({
      statementLog: false,
      // Who is dead is expelled at once.
      settings: ['--group-replication-member-expel-timeout=0'],
    });
    const first = await group.primary();
    await first.query('CREATE TABLE app.entry (id INT AUTO_INCREMENT PRIMARY KEY)');
    await first.query(
      `GRANT SELECT ON performance_schema.replication_group_member_stats TO ${app.user}@'%'`,
    );
    await group.waitUntilReplicated();
    const primary = group.connectionOptions(first);
    pool = createReplicatedPool({
      primary,
      topology: 'groupReplication',
      probeInterval: 200,
      primaryWait: 15_000,
      catalogueRefresh: false,
    });
  });
  afterEach(() => closed(pool));
  afterAll(() => group.stop());

  /** Writes, again if need be: one that is under way when its server dies may fail. */
  async function write(): Promise<void> {
    const sql = 'INSERT INTO entry VALUES ()';
    await expect.poll(async () => (await tell(on(pool), sql)).error, patient).toBe(null);
  }

  /** The ports of the hosts that are in use, that of the primary first. */
  function ports(): number[] {
    const used = pool.stats().hosts.filter(({ isUp }) => isUp);
    return used.map(({ name }) => Number(name.split(':').at(-1)));
  }

  async function dieAndReturn(server: OwnedServer): Promise<void> {
    await server.kill();
    await write();
    await group.rejoin(server);
    await group.waitUntilOnline(3);
    await expect.poll(() => ports().toSorted(), patient).toContain(server.port);
  }

  it('is written to whoever of them dies, returns, and has its place again', async () => {
    const first = await group.primary();
    await write();
    await dieAndReturn(first);
    const found = await group.primary();
    expect(found).not.toBe(first);
    await dieAndReturn(found);
    await group.switchover(found);
    await expect.poll(() => ports()[0], patient).toBe(found.port);
    await write();
  }, 120_000);
});
