import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../packages/core/src/cli/command.ts';
import { flavors } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';

/** The general log of a real server, read while it is written. */
describe.each(flavors)('the general log of %s', (flavor) => {
  let cluster: OwnedCluster;
  beforeAll(async () => {
    cluster = await startCluster({
      flavor,
      replicas: 0,
      settings: ['--log-output=FILE', '--general-log-file=general.log'],
    });
  });
  afterAll(() => cluster.stop());

  it('is understood as its clients meant it', async () => {
    const connection = await mysql.createConnection(cluster.connectionOptions(cluster.primary));
    const other = await mysql.createConnection(cluster.connectionOptions(cluster.primary));
    await connection.query('CREATE TABLE t (a INT)');
    await connection.query('SELECT a\nFROM t\n\tWHERE a = 1');
    await connection.execute('SELECT a FROM t WHERE a = ? AND ? > 0', [7, 8]);
    await connection.query('START TRANSACTION');
    await other.query('SELECT /* other */ a FROM t');
    await connection.query("SELECT 'one\n\ntwo', a FROM t");
    await connection.query('COMMIT');
    await connection.query('SELECT a FROM t FOR UPDATE');
    await other.query("PREPARE s FROM 'SELECT a FROM t'");
    await other.query('EXECUTE s');
    await other.query('SELECT 1 AS pinned');
    await other.changeUser({ database: cluster.database });
    await other.query('SELECT 2 AS afresh');
    await connection.end();
    await other.end();

    const lines = await explained();
    const from = lines.findIndex(({ sql }) => sql === 'CREATE TABLE t (a INT)');
    expect(lines.slice(from).map(({ role, reason, sql }) => [role, reason, sql])).toEqual([
      ['primary', 'not-a-read', 'CREATE TABLE t (a INT)'],
      ['replica', 'read', 'SELECT a\nFROM t\n\tWHERE a = 1'],
      ['replica', 'read', 'SELECT a FROM t WHERE a = 7 AND 8 > 0'],
      ['primary', 'not-a-read', 'START TRANSACTION'],
      ['replica', 'read', 'SELECT /* other */ a FROM t'],
      ['primary', 'transaction', "SELECT 'one\n\ntwo', a FROM t"],
      ['primary', 'transaction', 'COMMIT'],
      ['primary', 'locking-read', 'SELECT a FROM t FOR UPDATE'],
      ['primary', 'not-a-read', "PREPARE s FROM 'SELECT a FROM t'"],
      ['primary', 'pinned:prepared-statement', 'EXECUTE s'],
      ['primary', 'pinned:prepared-statement', 'SELECT 1 AS pinned'],
      ['replica', 'read', 'SELECT 2 AS afresh'],
    ]);
  });

  it('tells which server wrote it', async () => {
    const { out } = await run('--summary');
    expect(out).toContain('general-log (guessed)');
    const connection = await mysql.createConnection(cluster.connectionOptions(cluster.primary));
    // A built-in function of one of them alone.
    const sql = flavor === 'mysql' ? 'SELECT ANY_VALUE(1)' : 'SELECT NVL(1, 2)';
    await connection.query(sql);
    await connection.end();
    expect((await explained()).find((line) => line.sql === sql)?.role).toBe('replica');
  });

  async function explained(): Promise<{ role: string; reason: string; sql: string }[]> {
    // Its last entry is written when the connection is closed.
    const { out } = await run('--json');
    return out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  async function run(option: string): Promise<{ out: string }> {
    const file = join(cluster.folder, cluster.primary.name, 'data', 'general.log');
    expect(await readFile(file, 'utf8')).toContain('Version: ');
    let out = '';
    const stream = (isOut: boolean) => ({
      write(text: string) {
        if (isOut) out += text;
        return true;
      },
      on: () => {},
    });
    const stdin = (async function* () {})();
    const io = { stdin, stdout: stream(true), stderr: stream(false) };
    expect(await runCommand(['explain', option, '--file', file], io)).toBe(0);
    return { out };
  }
});
