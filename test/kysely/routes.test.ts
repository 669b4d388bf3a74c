import { forcePrimary, routeOf, useReplica } from '@rwsplit/kysely';
import { CamelCasePlugin, CompiledQuery, type LogEvent, sql } from 'kysely';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, newTag, open } from './people.ts';

/** Where each query ran, as Kysely's `log` sees it. */
describe('routeOf', async () => {
  const cluster = sharedCluster('mysql');
  const database = await freshDatabase(cluster);
  const lines: string[] = [];
  const log = ({ level, query }: LogEvent) => {
    const route = routeOf(query);
    const role = route?.host?.replace(/-\d$/, '');
    lines.push(`${level} ${query.sql.split(' ')[0]}: ${role} ${route?.role} ${route?.reason}`);
  };
  const db = open(cluster, database, { log, plugins: [new CamelCasePlugin()] });
  beforeAll(async () => {
    await createTables(cluster, database);
    return () => db.destroy();
  });
  afterEach(() => {
    lines.length = 0;
  });

  const byName = (tag: string) => db.selectFrom('person').select('id').where('name', '=', tag);

  it.each<[what: string, run: () => Promise<unknown>, expected: string[]]>([
    ['a read', () => byName('x').execute(), ['query select: replica replica read']],
    [
      'a forced read',
      () => byName('x').$call(forcePrimary).execute(),
      ['query select: primary primary force-primary'],
    ],
    [
      'a write',
      () => db.insertInto('person').values({ name: newTag() }).execute(),
      ['query insert: primary primary not-a-read'],
    ],
    [
      'a locking read',
      () => byName('x').forUpdate().execute(),
      ['query select: primary primary locking-read'],
    ],
    [
      'a transaction',
      () => db.transaction().execute((trx) => sql`select 1`.execute(trx)),
      [
        'query begin: primary primary not-a-read',
        'query select: primary primary transaction',
        'query commit: primary primary transaction',
      ],
    ],
    [
      'a stream that is left early',
      async () => {
        for await (const _ of db.selectFrom('person').select('id').stream()) break;
      },
      ['query select: replica replica read'],
    ],
    [
      'raw SQL that was compiled by hand',
      () => db.executeQuery(CompiledQuery.raw('select 1')),
      ['query select: replica replica read'],
    ],
    [
      'an error of the server',
      () => sql`select 1 from nowhere`.execute(db).catch(() => {}),
      ['error select: primary primary replica-differs'],
    ],
    [
      'what is refused before it is sent',
      () =>
        useReplica(db.insertInto('person').values({ name: 'x' }))
          .execute()
          .catch(() => {}),
      ['error insert: undefined null use-replica'],
    ],
  ])('says it of %s', async (_, run, expected) => {
    await run();
    expect(lines).toEqual(expected);
  });

  it('says where the last execution of a compiled query ran', async () => {
    await using small = open(cluster, database, { consistency: 'eventual' });
    const query = small.selectFrom('person').select('id').compile();
    expect(routeOf(query)).toBeNull();
    await small.executeQuery(query);
    expect(routeOf(query)).toEqual({
      host: expect.stringMatching(/^replica-[12]$/),
      role: 'replica',
      reason: 'read',
      word: null,
      tried: [],
      waited: 0,
    });
    await small.transaction().execute((trx) => trx.executeQuery(query));
    expect(routeOf(query)).toMatchObject({ host: 'primary', reason: 'transaction' });
    // The same text, compiled again, is another query.
    expect(routeOf(small.selectFrom('person').select('id').compile())).toBeNull();
    await small.destroy();
    await expect(small.executeQuery(query)).rejects.toThrow();
    expect(routeOf(query)).toMatchObject({ reason: 'transaction' });
  });

  it('says nothing of what was never routed, whatever ran before', async () => {
    const query = CompiledQuery.raw('select 1');
    let released = db.executeQuery.bind(db);
    await db.connection().execute(async (connection) => {
      await connection.executeQuery(query);
      released = connection.executeQuery.bind(connection);
    });
    expect(routeOf(query)).not.toBeNull();
    await expect(released(query)).rejects.toMatchObject({ code: 'RWSPLIT_CONNECTION_RELEASED' });
    expect(routeOf(query)).toBeNull();
  });
});
