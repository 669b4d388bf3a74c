import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, createReplicatedPool, type StatementEvent } from '@rwsplit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';

describe('explanations and events of a pool', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const pool = createReplicatedPool({
    primary: database.connectionOptions(cluster.primary),
    replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
    primaryTables: ['till'],
  });
  const events: StatementEvent[] = [];
  const listen = (message: unknown) => events.push(message as StatementEvent);

  beforeAll(async () => {
    const query = (sql: string) => cluster.primary.query(sql);
    await query(`CREATE TABLE ${database.name}.item (id INT PRIMARY KEY)`);
    await query(`CREATE TABLE ${database.name}.till (id INT PRIMARY KEY)`);
    await query(`CREATE FUNCTION ${database.name}.price(a INT) RETURNS INT NO SQL RETURN a`);
    await query(`CREATE VIEW ${database.name}.offer AS SELECT ${database.name}.price(1) AS p`);
    await cluster.waitUntilReplicated();
    // The first read makes the pool read the catalogue.
    await pool.promise().query('SELECT 1');
    subscribe(channels.statement, listen);
  });
  afterAll(async () => {
    unsubscribe(channels.statement, listen);
    await pool.promise().end();
  });

  it.each([
    ['SELECT id FROM item i WHERE id = 1', ['item'], 'a read'],
    ['SELECT id FROM till', ['till'], 'a table of primaryTables'],
    ['SELECT price(id) FROM item', ['item'], 'a stored function'],
    ['SELECT p FROM offer', ['offer'], 'a view that hides one, as the catalogue knows'],
    ['INSERT INTO item VALUES (7)', ['item'], 'a write'],
    ['SELECT id FROM item FOR UPDATE', ['item'], 'a lock'],
    ['/* route:primary */ SELECT id FROM item', ['item'], 'a hint'],
  ])('agree on %s', async (sql, tables) => {
    const explained = pool.explain(sql);
    await pool.promise().query(sql);
    const event = events.at(-1);
    expect(event).toMatchObject({ sql, role: explained.role, reason: explained.reason });
    expect(event?.word).toBe(explained.word);
    expect(event?.kind).toBe(explained.kind);
    expect(event?.fingerprint).toBe(explained.fingerprint);
    expect(event?.tables.map(({ table }) => table)).toEqual(tables);
    expect(event?.tables).toEqual(explained.tables);
  });

  it('work nothing out before they are read, and are whole in JSON', async () => {
    await pool.promise().query('SELECT id FROM item WHERE id = ?', [1]);
    const event = events.at(-1);
    for (const name of ['tables', 'fingerprint'] as const) {
      expect(typeof Object.getOwnPropertyDescriptor(event, name)?.get).toBe('function');
    }
    expect(JSON.parse(JSON.stringify(event))).toMatchObject({
      sql: 'SELECT id FROM item WHERE id = ?',
      kind: 'read',
      tables: [{ db: null, table: 'item' }],
      fingerprint: pool.explain('SELECT id FROM item WHERE id = 2').fingerprint,
    });
  });

  it('count what the parser has done', async () => {
    const before = pool.stats().classification;
    await pool.promise().query('SELECT id FROM item WHERE id BETWEEN 1 AND 2');
    await pool.promise().query('SELECT id FROM item WHERE id BETWEEN 3 AND 4');
    await pool.promise().query('SELECT id FROM item WHERE id <=> 1');
    const after = pool.stats().classification;
    expect(after.classified - before.classified).toBe(3);
    expect(after.parsed - before.parsed).toBe(2);
    expect(after.parseErrors - before.parseErrors).toBe(1);
    expect(after.guarded - before.guarded).toBe(0);
    expect(after.unavailable).toBe(false);
    expect(Object.keys(after.vetoes).sort()).toEqual(
      ['function', 'into', 'lock', 'statement', 'table', 'variable'].sort(),
    );
  });

  it('keep their counts when the classifier learns', async () => {
    const sql = 'SELECT id FROM item WHERE id > 1';
    const learning = createReplicatedPool({
      primary: database.connectionOptions(cluster.primary),
      replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
    });
    learning.explain(sql);
    expect(learning.stats()).toMatchObject({
      dialect: 'unknown',
      classification: { classified: 1 },
    });
    await learning.promise().query(sql);
    const { dialect, classification } = learning.stats();
    expect(dialect).toBe('mysql');
    expect(classification.classified).toBeGreaterThanOrEqual(2);
    await learning.promise().end();
  });

  it('know a pool without replicas', async () => {
    const alone = createReplicatedPool({ primary: database.connectionOptions(cluster.primary) });
    expect(alone.explain('SELECT 1')).toMatchObject({ role: 'primary', reason: 'no-replicas' });
    await alone.promise().end();
  });
});
