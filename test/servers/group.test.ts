import { existsSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOnce } from '../support/application.ts';
import type { Group } from '../support/servers/group.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import { startGroup, whyNoGroup } from '../support/servers/start-group.ts';

const reason = await whyNoGroup();
if (reason !== undefined) console.warn(`Skipped: ${reason}`);

describe.skipIf(reason !== undefined)('a group of three', () => {
  let group: Group;

  beforeAll(async () => {
    group = await startGroup();
    await write(await group.primary(), 'CREATE TABLE t (id INT PRIMARY KEY)');
  });
  afterAll(async () => {
    await group.stop();
    expect(existsSync(group.folder)).toBe(false);
  });

  const write = (server: OwnedServer, sql: string) => runOnce(group.connectionOptions(server), sql);
  const insert = (server: OwnedServer, id: number) => write(server, `INSERT INTO t VALUES (${id})`);
  const other = async () => {
    const [secondary] = await group.secondaries();
    if (secondary === undefined) throw new Error('no secondary');
    return secondary;
  };
  const states = async (server: OwnedServer) =>
    (await group.members(server)).map(({ port, state, role }) => `${port} ${state} ${role}`).sort();

  it('has one primary, which all members name, also to the application', async () => {
    const expected = group.all
      .map(({ port }, index) => `${port} ONLINE ${index === 0 ? 'PRIMARY' : 'SECONDARY'}`)
      .sort();
    for (const server of group.all) expect(await states(server)).toEqual(expected);
    const sql = 'SELECT MEMBER_HOST FROM performance_schema.replication_group_members';
    expect(await write(group.all[0], sql)).toEqual(Array(3).fill({ MEMBER_HOST: '127.0.0.1' }));
  });

  it('replicates, and refuses writes on secondaries', async () => {
    await insert(await group.primary(), 1);
    await group.waitUntilReplicated();
    const secondary = await other();
    expect(await write(secondary, 'SELECT id FROM t')).toEqual([{ id: 1 }]);
    await expect(insert(secondary, 2)).rejects.toMatchObject({ errno: 1290 });
  });

  it('lets a member leave and join again', async () => {
    const member = await other();
    await group.leave(member);
    await group.waitUntilOnline(2);
    expect(await states(member)).toEqual([`${member.port} OFFLINE `]);
    await insert(await group.primary(), 3);
    await group.join(member);
    await group.waitUntilOnline(3);
    await group.waitUntilReplicated();
    expect(await write(member, 'SELECT id FROM t')).toEqual([{ id: 1 }, { id: 3 }]);
  });

  it('switches over, and waits for an open transaction only as long as it is told', async () => {
    const [from, to] = [await group.primary(), await other()];
    const connection = await createConnection(group.connectionOptions(from));
    connection.on('error', () => {});
    await connection.query('START TRANSACTION');
    await connection.query('INSERT INTO t VALUES (4)');
    await group.switchover(to, 1);
    expect(await group.primary()).toBe(to);
    await expect(connection.query('COMMIT')).rejects.toThrow();
    expect(await write(to, 'SELECT id FROM t WHERE id = 4')).toEqual([]);
    await expect(insert(from, 5)).rejects.toMatchObject({ errno: 1290 });
  });

  it('elects another primary when it is killed; the dead one comes back as a secondary', async () => {
    const dead = await group.primary();
    await insert(dead, 6);
    await dead.kill();
    const elected = await group.primary();
    expect(elected).not.toBe(dead);
    await insert(elected, 7);
    await group.rejoin(dead);
    await group.waitUntilOnline(3);
    expect(await group.primary()).toBe(elected);
    await group.waitUntilReplicated();
    const rows = await write(dead, 'SELECT id FROM t WHERE id > 5');
    expect(rows).toEqual([{ id: 6 }, { id: 7 }]);
  });
});
