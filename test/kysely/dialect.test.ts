import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import { CompiledQuery, type DatabaseConnection, Kysely, sql } from 'kysely';
import { createPool } from 'mysql2';
import { createPool as createPromisePool } from 'mysql2/promise';
import { beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import type { Server } from '../support/servers/server.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, hosts, newTag, open, rolesOf, type Tables } from './people.ts';

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  beforeAll(() => createTables(cluster, database));

  const read = (db: Kysely<Tables>, tag: string) =>
    db.selectFrom('person').select('id').where('name', '=', tag).execute();

  /** How many connections to the database of these tests a server has. */
  async function connections(server: Server): Promise<number> {
    const [row] = await server.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ?',
      [database.name],
    );
    return Number(row?.n);
  }
  const allConnections = () => Promise.all(cluster.all.map(connections));

  describe('lifecycle', () => {
    it('makes a pool for each Kysely of one dialect, and ends each alone', async () => {
      const dialect = new ReplicatedMysqlDialect(hosts(cluster, database));
      const [one, other] = [new Kysely<Tables>({ dialect }), new Kysely<Tables>({ dialect })];
      await read(one, newTag());
      await read(other, newTag());
      await one.destroy();
      const tag = newTag();
      await read(other, tag);
      expect(await rolesOf(cluster, tag)).toEqual(['replica']);
      await other.destroy();
      await expect.poll(allConnections).toEqual([0, 0, 0]);
    });

    it('closes every connection, and takes no query after that', async () => {
      const db = open(cluster, database);
      await Promise.all([1, 2, 3, 4].map(() => read(db, newTag())));
      await db.insertInto('person').values({ name: newTag() }).execute();
      expect((await allConnections()).every((count) => count > 0)).toBe(true);
      await db.destroy();
      await expect.poll(allConnections).toEqual([0, 0, 0]);
      await expect(read(db, newTag())).rejects.toThrow('already been destroyed');
      await db.destroy();
    });

    it('opens nothing before the first query', async () => {
      await using db = open(cluster, database);
      expect(db.selectFrom('person').select('id').compile().sql).toContain('select');
      // A server may still show one of the test before, which was closed while it logged in.
      await expect.poll(allConnections).toEqual([0, 0, 0]);
    });

    it('opens no connection to the primary for reads alone', async () => {
      // What other tests have written is looked for on connections beside those of the pool.
      await using db = open(cluster, database, { consistency: 'eventual' });
      for (let i = 0; i < 4; i++) {
        await read(db, newTag());
      }
      expect(await allConnections()).toEqual([0, 1, 1]);
    });
  });

  describe('hosts', () => {
    it('runs everything on the primary if there are no replicas', async () => {
      await using none = open(cluster, database, { replicas: [] });
      const { primary } = hosts(cluster, database);
      await using left = new Kysely<Tables>({ dialect: new ReplicatedMysqlDialect({ primary }) });
      const tag = newTag();
      await read(none, tag);
      await read(left, tag);
      expect(await rolesOf(cluster, tag)).toEqual(['primary', 'primary']);
    });

    it('takes existing pools of mysql2, and ends them', async () => {
      const [primary, first, second] = cluster.all.map((server) =>
        database.connectionOptions(server),
      );
      const db = new Kysely<Tables>({
        dialect: new ReplicatedMysqlDialect({
          primary: createPool(primary ?? {}),
          replicas: [createPool(first ?? {}), createPromisePool(second ?? {})],
        }),
      });
      const [tag, written] = [newTag(), newTag()];
      await read(db, tag);
      await read(db, tag);
      await db.insertInto('person').values({ name: written }).execute();
      expect(await rolesOf(cluster, tag)).toEqual(['replica', 'replica']);
      expect(await rolesOf(cluster, written)).toEqual(['primary']);
      await db.destroy();
      await expect.poll(allConnections).toEqual([0, 0, 0]);
    });

    it('takes URLs, and what replicas do not say from the primary', async () => {
      const { host, port, user, password, database: name } = hosts(cluster, database).primary;
      await using db = new Kysely<Tables>({
        dialect: new ReplicatedMysqlDialect({
          primary: `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`,
          replicas: cluster.replicas.map((server) => ({ host: server.host, port: server.port })),
        }),
      });
      const tag = newTag();
      await read(db, tag);
      expect(await rolesOf(cluster, tag)).toEqual(['replica']);
    });

    it('takes options as they are then: others, such as Knex 3.1, change what they share', async () => {
      const { primary, replicas } = hosts(cluster, database);
      const shared = { ...primary };
      const [replica] = replicas.map((one) => ({ ...one }));
      if (replica === undefined) throw new Error('no replica');
      const dialect = new ReplicatedMysqlDialect({ primary: shared, replicas: [replica] });
      shared.password = 'wrong';
      replica.port = 1;
      await using db = new Kysely<Tables>({ dialect });
      const tag = newTag();
      await read(db, tag);
      expect(await rolesOf(cluster, tag)).toEqual(['replica']);
    });
  });

  describe('hooks', () => {
    it('sets up every connection of every host once, before its first statement', async () => {
      const created: string[] = [];
      await using db = open(cluster, database, {
        // It has a connection of its own for a moment.
        catalogueRefresh: false,
        onCreateConnection: async (connection, { role, name }) => {
          await connection.executeQuery(CompiledQuery.raw("set time_zone = '+05:00'"));
          created.push(`${role} ${name}: ${(await streamed(connection)).join()}`);
        },
      });
      const zone = () => sql<{ zone: string }>`select @@time_zone as zone`.execute(db);
      const hour = () =>
        sql<{ h: number }>`select timestampdiff(hour, utc_timestamp(), now()) as h`.execute(db);
      for (let i = 0; i < 4; i++) {
        expect((await hour()).rows).toEqual([{ h: 5 }]);
        expect((await zone()).rows).toEqual([{ zone: '+05:00' }]);
      }
      expect(created.sort()).toEqual([
        'primary primary: 1,2',
        'replica replica-1: 1,2',
        'replica replica-2: 1,2',
      ]);
    });

    it('gives a failure of onCreateConnection as cause, and the next query tries again', async () => {
      let failures = 1;
      await using db = open(cluster, database, {
        replicas: [],
        onCreateConnection: async (connection) => {
          if (failures-- > 0) {
            await connection.executeQuery(CompiledQuery.raw('select no_such_column'));
          }
        },
      });
      await expect(read(db, newTag())).rejects.toMatchObject({
        code: 'RWSPLIT_HOST_SETUP',
        cause: { errno: 1054 },
      });
      await read(db, newTag());
    });

    it('calls onReserveConnection for each connection that Kysely asks for', async () => {
      let calls = 0;
      const tag = newTag();
      await using db = open(cluster, database, {
        onReserveConnection: async (connection) => {
          calls += 1;
          await connection.executeQuery(CompiledQuery.raw(`select /* ${tag} */ 1`));
        },
      });
      const after = newTag();
      await read(db, after);
      await db.transaction().execute((trx) => read(trx, after));
      await db.connection().execute(async (connection) => {
        await read(connection, after);
        await read(connection, after);
      });
      expect(calls).toBe(3);
      expect(await rolesOf(cluster, tag)).toEqual(['replica', 'replica', 'replica']);
      expect((await rolesOf(cluster, after)).sort()).toEqual([
        'primary',
        'replica',
        'replica',
        'replica',
      ]);
    });

    it('gives the connection back if onReserveConnection fails', async () => {
      const { primary } = hosts(cluster, database);
      let isFailing = true;
      await using db = open(cluster, database, {
        primary: { ...primary, connectionLimit: 1 },
        replicas: [],
        acquireTimeout: 500,
        onReserveConnection: async (connection) => {
          await connection.executeQuery(CompiledQuery.raw('select 1'));
          if (isFailing) {
            throw new Error('not now');
          }
        },
      });
      await expect(read(db, newTag())).rejects.toThrow('not now');
      await expect(read(db, newTag())).rejects.toThrow('not now');
      isFailing = false;
      await read(db, newTag());
    });
  });

  describe('the driver', () => {
    it('releases a connection as often as it is asked to, and never throws', async () => {
      const driver = new ReplicatedMysqlDialect(hosts(cluster, database)).createDriver();
      await driver.init();
      const connection = await driver.acquireConnection();
      await connection.executeQuery(CompiledQuery.raw('select 1'));
      await driver.releaseConnection(connection);
      await driver.releaseConnection(connection);
      await expect(connection.executeQuery(CompiledQuery.raw('select 1'))).rejects.toMatchObject({
        code: 'RWSPLIT_CONNECTION_RELEASED',
      });
      await driver.destroy();
    });
  });
});

describe('options', () => {
  const problems = (options: unknown): string => {
    try {
      new ReplicatedMysqlDialect(options as { primary: string });
      return 'none';
    } catch (error) {
      expect(error).toMatchObject({ name: 'RwSplitError', code: 'RWSPLIT_OPTIONS' });
      return String(error);
    }
  };

  it('are checked when the dialect is made, all at once', () => {
    expect(
      problems({
        primary: { host: 'db-1', pasword: 'hunter2' },
        replica: [],
        acquireTimeout: 0,
        onReserveConnection: 'yes',
        onCreateConnection: true,
      }).split('\n'),
    ).toEqual([
      'RwSplitError: Invalid options:',
      "  - replica: unknown option; did you mean 'replicas'?",
      '  - acquireTimeout: expected a positive integer up to 2147483647 (milliseconds), found 0',
      '  - onCreateConnection: expected a function, found true',
      "  - primary.pasword: unknown option; did you mean 'password'?",
      '  - onReserveConnection: expected a function, found a value of type string',
    ]);
  });

  it.each([
    ['none at all', undefined],
    ['null', null],
    ['no primary', { replicas: ['mysql://db-2/shop'] }],
    ['a wrong URL', { primary: 'db-1' }],
  ])('are refused: %s', (_, options) => {
    expect(problems(options)).toContain('primary: expected');
  });

  it('are no promises, of which nobody knows where they lead', () => {
    const promise = Promise.resolve({ host: 'db-1' });
    expect(problems({ primary: promise, replicas: ['mysql://db-2/shop', promise] })).toContain(
      'primary: expected a host, or a function that gives one or a promise of it, found a promise',
    );
    expect(problems({ pool: 'mysql://db-1/shop', replicas: [promise] })).toContain('replicas[0]: ');
  });

  it('may be given as undefined', () => {
    const options = {
      primary: 'mysql://db-1/shop',
      replicas: undefined,
      onCreateConnection: undefined,
      onReserveConnection: undefined,
    };
    expect(problems(options)).toBe('none');
  });
});

async function streamed(connection: DatabaseConnection): Promise<unknown[]> {
  const found: unknown[] = [];
  const query = CompiledQuery.raw('select 1 as n union all select 2');
  for await (const { rows } of connection.streamQuery<{ n: number }>(query, 1)) {
    found.push(...rows.map(({ n }) => n));
  }
  return found;
}
