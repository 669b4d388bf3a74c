import { type IsolationLevel, type Kysely, MysqlDriver, sql, type Transaction } from 'kysely';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, newTag, open, rolesOf, type Tables } from './people.ts';

type Settings = readonly [
  isolation: IsolationLevel | null,
  access: 'read only' | 'read write' | null,
];

/** What Kysely's users see of transactions, in `log` and in results, is what the stock dialect shows. */
describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const logged: string[] = [];
  const db = open(cluster, database, { log: ({ query }) => void logged.push(query.sql) });
  beforeAll(async () => {
    await createTables(cluster, database);
    return () => db.destroy();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    logged.length = 0;
  });

  const insert = (on: Kysely<Tables>, name: string) =>
    on.insertInto('person').values({ name }).executeTakeFirstOrThrow();
  const find = (on: Kysely<Tables>, name: string) =>
    on.selectFrom('person').select('name').where('name', '=', name).execute();

  const rows: readonly (readonly [...Settings, first: string | null])[] = [
    [null, null, null],
    ['read uncommitted', null, 'set transaction isolation level read uncommitted'],
    ['read committed', null, 'set transaction isolation level read committed'],
    ['repeatable read', null, 'set transaction isolation level repeatable read'],
    ['serializable', null, 'set transaction isolation level serializable'],
    [null, 'read only', 'set transaction read only'],
    [null, 'read write', 'set transaction read write'],
    ['serializable', 'read only', 'set transaction isolation level serializable, read only'],
  ];

  it.each(rows)('begins with %s, %s', async (isolation, access, first) => {
    const begun = [...(first === null ? [] : [first]), 'begin'];
    const tag = newTag();
    const builder = () => {
      const plain = db.transaction();
      const level = isolation === null ? plain : plain.setIsolationLevel(isolation);
      return access === null ? level : level.setAccessMode(access);
    };
    await builder().execute((trx) => find(trx, tag));
    expect(logged.splice(0)).toEqual([...begun, expect.stringContaining('select'), 'commit']);
    const controlled = () => {
      const plain = db.startTransaction();
      const level = isolation === null ? plain : plain.setIsolationLevel(isolation);
      return access === null ? level : level.setAccessMode(access);
    };
    const trx = await controlled().execute();
    await find(trx, tag);
    await trx.rollback().execute();
    expect(logged).toEqual([...begun, expect.stringContaining('select'), 'rollback']);
    expect(await rolesOf(cluster, tag)).toEqual(['primary', 'primary']);
  });

  it('names savepoints in the log, quoted', async () => {
    const trx = await db.startTransaction().execute();
    const first = await trx.savepoint('a`b').execute();
    await first.rollbackToSavepoint('a`b').execute();
    await first.releaseSavepoint('a`b').execute();
    await trx.commit().execute();
    expect(logged).toEqual([
      'begin',
      'savepoint `a``b`',
      'rollback to `a``b`',
      'release savepoint `a``b`',
      'commit',
    ]);
  });

  it('does not run the callback, nor ROLLBACK, if the stock driver cannot begin', async () => {
    const begin = vi.spyOn(MysqlDriver.prototype, 'beginTransaction').mockImplementation(() => {
      throw new Error('not today');
    });
    const rollback = vi.spyOn(MysqlDriver.prototype, 'rollbackTransaction');
    const callback = vi.fn();
    await expect(db.transaction().execute(callback)).rejects.toThrow('not today');
    expect(begin).toHaveBeenCalledTimes(1);
    expect(callback).not.toHaveBeenCalled();
    expect(rollback).not.toHaveBeenCalled();
  });

  it('keeps a hundred transactions at once apart, half of which fail', async () => {
    const tags = Array.from({ length: 100 }, newTag);
    const outcomes = await Promise.allSettled(
      tags.map((tag, index) =>
        db.transaction().execute(async (trx) => {
          const { insertId } = await insert(trx, tag);
          await trx
            .insertInto('pet')
            .values({ owner_id: Number(insertId), nick_name: tag })
            .execute();
          if (index % 2 === 1) {
            throw new Error('changed my mind');
          }
        }),
      ),
    );
    const found = await Promise.all(tags.map((tag) => find(db, tag)));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(
      tags.map((_, index) => index % 2 === 0),
    );
    expect(found.map(({ length }) => length)).toEqual(tags.map((_, index) => 1 - (index % 2)));
  });

  it('runs transactions one after the other on one connection()', async () => {
    const tags = Array.from({ length: 4 }, newTag);
    const [committed = '', between = '', undone = '', after = ''] = tags;
    await db.connection().execute(async (connection) => {
      const first = await connection.startTransaction().execute();
      await insert(first, committed);
      await first.commit().execute();
      await insert(connection, between);
      const second = await connection.startTransaction().execute();
      await insert(second, undone);
      await second.rollback().execute();
      await insert(connection, after);
    });
    const found = await db
      .selectFrom('person')
      .select('name')
      .where('name', 'in', tags)
      .orderBy('id')
      .execute();
    expect(found.map(({ name }) => name)).toEqual([committed, between, after]);
  });

  it('takes no query once it has ended', async () => {
    const tag = newTag();
    let escaped: Transaction<Tables> | null = null;
    await db.transaction().execute(async (trx) => {
      escaped = trx;
    });
    await expect(insert(escaped ?? db, tag)).rejects.toThrow('Transaction is already committed');
    const trx = await db.startTransaction().execute();
    await trx.rollback().execute();
    await expect(insert(trx, tag)).rejects.toThrow('Transaction is already rolled back');
    expect(await rolesOf(cluster, tag)).toEqual([]);
  });

  it('reads its own writes in a stream of it, and not outside before it commits', async () => {
    const tag = newTag();
    const seen: unknown[] = [];
    await db.transaction().execute(async (trx) => {
      await insert(trx, tag);
      const query = trx.selectFrom('person').select('name').where('name', '=', tag);
      for await (const row of query.stream()) {
        seen.push(row);
      }
      seen.push(await sql`select id from person where name = ${tag}`.execute(db));
    });
    expect(seen).toEqual([{ name: tag }, { rows: [] }]);
    expect(await find(db, tag)).toHaveLength(1);
  });
});
