import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf } from '../../../packages/core/src/topology/address.ts';
import { groupReplication } from '../../../packages/core/src/topology/group-replication.ts';
import type { GroupView } from '../../../packages/core/src/topology/group-view.ts';
import type { Findings } from '../../../packages/core/src/topology/topology.ts';
import { app } from '../../support/servers/accounts.ts';
import type { Group } from '../../support/servers/group.ts';
import type { OwnedServer } from '../../support/servers/owned-server.ts';
import { startGroup } from '../../support/servers/start-group.ts';

const place = ({ host, port }: OwnedServer) => addressOf(host, port);

/** `null` from a server that is dead, as a probe has it. */
async function ask({ host, port }: OwnedServer): Promise<GroupView | null> {
  try {
    const connection = await createConnection({ host, port, ...app });
    const [rows] = await connection.query<RowDataPacket[]>(groupReplication.sql);
    await connection.end();
    return groupReplication.read(rows);
  } catch {
    return null;
  }
}

/** What an account needs: no more than this. */
const grants = ['replication_group_members', 'replication_group_member_stats'].map(
  (table) => `GRANT SELECT ON performance_schema.${table} TO ${app.user}@'%'`,
);

describe('a group', () => {
  let group: Group;
  let primary: string | null = null;

  beforeAll(async () => {
    group = await startGroup({ statementLog: false });
    for (const grant of grants) {
      await (await group.primary()).query(grant);
    }
    await group.waitUntilReplicated();
  });

  afterAll(() => group.stop());

  async function round(servers: readonly OwnedServer[] = group.all): Promise<Findings> {
    const entries = await Promise.all(
      servers.map(async (server) => [place(server), await ask(server)] as const),
    );
    return groupReplication.resolve(new Map(entries), primary);
  }

  /** Asks until that is so, as a pool does. */
  async function until(isSo: (findings: Findings) => boolean): Promise<Findings> {
    for (;;) {
      const findings = await round();
      if (isSo(findings)) return findings;
      await sleep(50);
    }
  }

  const found = () => until(({ writable }) => writable.length > 0);

  it('has one primary, and reads on the others', async () => {
    const findings = await round();
    const [first, ...others] = group.all.map(place);
    expect(findings).toMatchObject({ writable: [first], readable: [...others].sort() });
    primary = findings.writable[0] ?? null;
  });

  it('is in the same view to all members', async () => {
    const views = await Promise.all(group.all.map(ask));
    const [first] = views;
    expect(first?.group).toMatch(/^\d+$/);
    // The first member alone, then one more with each that joined.
    expect(first?.sequence).toBeGreaterThanOrEqual(group.all.length);
    for (const view of views) {
      expect(view).toMatchObject({ group: first?.group, sequence: first?.sequence });
    }
  });

  it('is known from one member', async () => {
    const [, second] = group.all;
    const { members, readable } = await round(second === undefined ? [] : [second]);
    expect(members).toEqual(group.all.map(place).sort());
    expect(readable).toHaveLength(1);
  });

  it('is followed through a switch of roles', async () => {
    const [, second] = group.all;
    if (second === undefined) throw new Error('a group of one');
    await group.switchover(second);
    expect((await found()).writable).toEqual([place(second)]);
    primary = place(second);
  });

  it('has a new primary when that one dies, and the dead one is gone', async () => {
    const dead = await group.primary();
    await dead.kill();
    primary = null;
    const { members, readable, writable } = await found();
    expect(writable).toEqual([place(await group.primary())]);
    expect(members).not.toContain(place(dead));
    expect(readable).toHaveLength(1);
  });

  it('without its majority has neither a primary nor reads, and gives up nobody', async () => {
    const [secondary] = await group.secondaries();
    const names = (await round()).members;
    await secondary?.kill();
    const { members, readable } = await until(({ writable }) => writable.length === 0);
    expect(readable).toEqual([]);
    expect(members).toEqual(expect.arrayContaining([...(names ?? ['?'])]));
  });
});
