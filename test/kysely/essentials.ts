import {
  forcePrimary,
  ReplicatedMysqlDialect,
  routeOf,
  useReplica,
  withSession,
} from '@rwsplit/kysely';
import '@rwsplit/kysely/with-primary';
import { CamelCasePlugin, type Kysely, type LogEvent, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { createTables, hosts, newTag, open, rolesOf, sentWith, type Tables } from './people.ts';

/** A version of Kysely, and what of it cannot be imported alike. */
export interface Version {
  readonly name: string;
  /** To see that it is the one that runs. */
  readonly MysqlAdapter: new () => object;
  readonly Migrator: new (
    props: never,
  ) => {
    migrateToLatest(): Promise<{ readonly error?: unknown; readonly results?: unknown }>;
    getMigrations(): Promise<unknown>;
  };
}

/**
 * What each version of Kysely must do with the dialect: those of its parts that the versions differ in. To be
 * called in a file of its own, which may have another version in the place of `kysely`.
 */
export function describeEssentials({ name: version, MysqlAdapter, Migrator }: Version): void {
  describe(`with Kysely ${version}`, async () => {
    const cluster = sharedCluster('mysql');
    const database = await freshDatabase(cluster);
    const events: LogEvent[] = [];
    const db = open(cluster, database, { log: (event) => void events.push(event) });
    beforeAll(() => createTables(cluster, database));
    afterAll(() => db.destroy());

    const byName = (on: Kysely<Tables>, tag: string) =>
      on.selectFrom('person').select('id').where('name', '=', tag);
    const insert = (on: Kysely<Tables>, tag: string) =>
      on.insertInto('person').values({ name: tag }).executeTakeFirstOrThrow();

    it('is what runs here', () => {
      const dialect = new ReplicatedMysqlDialect(hosts(cluster, database));
      expect(dialect.createAdapter()).toBeInstanceOf(MysqlAdapter);
      expect(db.getExecutor().adapter).toBeInstanceOf(MysqlAdapter);
    });

    it('reads on replicas, writes on the primary, and reads its writes', async () => {
      const tag = newTag();
      const { insertId } = await insert(db, tag);
      const found = await byName(db, tag).execute();
      expect(found.map(({ id }) => BigInt(id))).toEqual([insertId]);
      await sql`select ${tag}`.execute(db);
      await db.executeQuery(byName(db, tag).compile());
      expect(await rolesOf(cluster, tag)).toEqual(['primary', 'replica', 'replica', 'replica']);
    });

    it('runs transactions and savepoints on one connection of the primary', async () => {
      const [kept, undone] = [newTag(), newTag()];
      const trx = await db.startTransaction().setIsolationLevel('serializable').execute();
      await insert(trx, kept);
      const inner = await trx.savepoint('one').execute();
      await insert(inner, undone);
      await inner.rollbackToSavepoint('one').execute();
      await byName(trx, kept).execute();
      await trx.commit().execute();
      await db
        .transaction()
        .setAccessMode('read only')
        .execute((second) => byName(second, kept).execute());
      expect((await sentWith(cluster, kept)).map((text) => text.replace(/ `.*/, ''))).toEqual(
        expect.arrayContaining([
          'set transaction isolation level serializable',
          'begin',
          'savepoint',
          'rollback to',
          'commit',
          'set transaction read only',
        ]),
      );
      expect(await rolesOf(cluster, kept)).toEqual(['primary', 'primary', 'primary']);
      expect(await byName(db, undone).execute()).toEqual([]);
    });

    it('logs what transactions send, and where it ran', async () => {
      events.length = 0;
      await db.transaction().execute((trx) => insert(trx, newTag()));
      await byName(db, 'nobody').execute();
      expect(
        events.map(({ query }) => `${query.sql.split(' ')[0]} ${routeOf(query)?.role}`),
      ).toEqual(['begin primary', 'insert primary', 'commit primary', 'select replica']);
    });

    it('keeps a connection() where its state is', async () => {
      const [before, after] = [newTag(), newTag()];
      await db.connection().execute(async (connection) => {
        await byName(connection, before).execute();
        await sql`set @kept = ${after}`.execute(connection);
        const { rows } = await sql`select @kept as kept`.execute(connection);
        expect(rows).toEqual([{ kept: after }]);
        await byName(connection, after).execute();
      });
      expect(await rolesOf(cluster, before)).toEqual(['replica']);
      expect(await rolesOf(cluster, after)).toEqual(['primary', 'primary']);
    });

    it('gives the connections of streams back, also when they are left early', async () => {
      const rows: unknown[] = [];
      for (let i = 0; i < 12; i++) {
        for await (const row of db.selectFrom('person').selectAll().stream(1)) {
          rows.push(row);
          break;
        }
      }
      expect(rows).toHaveLength(12);
      await Promise.all(Array.from({ length: 12 }, () => byName(db, 'nobody').execute()));
    });

    it('obeys hints, with plugins that rebuild the query before and after', async () => {
      const [forced, replicated] = [newTag(), newTag()];
      const camel = () => new CamelCasePlugin();
      await byName(forcePrimary(db).withPlugin(camel()), forced).execute();
      await byName(forcePrimary(db.withPlugin(camel())), forced).execute();
      await db.executeQuery(byName(db.withPlugin(camel()), forced).$call(forcePrimary).compile());
      await forcePrimary(sql`select ${forced}`).execute(db);
      await byName(db.withPrimary(), forced).execute();
      await withSession(async () => {
        await insert(db, newTag());
        await byName(useReplica(db.withPlugin(camel())), replicated).execute();
        await byName(db.withReplica(), replicated).execute();
      });
      expect(new Set(await rolesOf(cluster, forced))).toEqual(new Set(['primary']));
      expect(new Set(await rolesOf(cluster, replicated))).toEqual(new Set(['replica']));
    });

    it('answers LAST_INSERT_ID() of the flow', async () => {
      const { insertId } = await insert(db, newTag());
      const { rows } = await sql`select last_insert_id() as id`.execute(db);
      expect(rows).toEqual([{ id: Number(insertId) }]);
    });

    it('migrates and looks at the schema on the primary', async () => {
      const migrations = {
        '1': {
          up: async (on: Kysely<unknown>) => {
            await on.schema.createTable('shop').addColumn('id', 'integer').execute();
          },
        },
      };
      const provider = { getMigrations: async () => migrations };
      const migrator = new Migrator({ db, provider } as never);
      const { error, results } = await migrator.migrateToLatest();
      expect(error).toBeUndefined();
      expect(results).toMatchObject([{ status: 'Success' }]);
      const tables = await db.introspection.getTables();
      expect(tables.map(({ name }) => name).sort()).toEqual(['person', 'pet', 'shop']);
      expect(await migrator.getMigrations()).toMatchObject([{ executedAt: expect.any(Date) }]);
    });

    it('gives the connection of a transaction back that did not begin', async () => {
      const { primary } = hosts(cluster, database);
      await using small = open(cluster, database, {
        primary: { ...primary, connectionLimit: 1 },
        replicas: [],
        acquireTimeout: 1_000,
      });
      for (let i = 0; i < 2; i++) {
        const begin = small.startTransaction().setIsolationLevel('snapshot').execute();
        await expect(begin).rejects.toMatchObject({ errno: 1064 });
      }
      await small.transaction().execute((trx) => insert(trx, newTag()));
    });

    describe('what made a transaction roll back', () => {
      /** Runs a transaction whose connection breaks while its callback, or its COMMIT, is at work. */
      async function lose(callback: (trx: Kysely<Tables>) => Promise<unknown>): Promise<unknown> {
        const network = await TcpProxy.start(cluster.primary);
        const { primary } = hosts(cluster, database);
        await using far = open(cluster, database, { primary: { ...primary, port: network.port } });
        const transaction = far.transaction().execute(async (trx) => {
          await insert(trx, newTag());
          network.drop('down');
          setTimeout(() => {
            network.refuse();
            network.cut();
          }, 20);
          await callback(trx);
        });
        const failure = await transaction.catch((error: unknown) => error);
        network.close();
        return failure;
      }

      it('is shown, and not the error of ROLLBACK: the callback’s', async () => {
        const mine = new Error('changed my mind');
        expect(await lose(() => Promise.reject(mine))).toBe(mine);
      });

      it('is shown, and not the error of ROLLBACK: that of COMMIT', async () => {
        expect(await lose(() => Promise.resolve())).toMatchObject({
          code: 'RWSPLIT_UNKNOWN_OUTCOME',
        });
      });
    });
  });
}
