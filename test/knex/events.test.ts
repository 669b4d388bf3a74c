import { finished } from 'node:stream/promises';
import type { StatementRoute } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { failureOf, makeBed, newTag } from './bed.ts';

interface Told extends Partial<StatementRoute> {
  readonly sql: string;
}

/** One event as it was emitted, and what became of its object. */
interface Event {
  readonly name: string;
  readonly object: Told;
  /** `role` at the time. */
  readonly role: unknown;
}

const names = ['query', 'query-response', 'query-error'] as const;

/** Fails on any server, for a reason that is no other on the primary. */
const twoRows = 'select (select 1 union select 2)';

/** Where the object of each event is among what listeners get. */
const objectOf = { query: 0, 'query-response': 1, 'query-error': 1 } as const;

function eventsOf(emitter: { on(name: string, listener: (...given: unknown[]) => void): unknown }) {
  const events: Event[] = [];
  for (const name of names) {
    emitter.on(name, (...given) => {
      const object = given[objectOf[name]] as Told;
      events.push({ name, object, role: object.role });
    });
  }
  return events;
}

/** Event, text, what it said at the time, and what it says in the end. */
function linesOf(events: readonly Event[]): string[] {
  return events.map(({ name, object, role }) =>
    [name, object.sql.replaceAll(/tag_\w+/g, 'tag'), role, object.role, object.reason].join(' | '),
  );
}

describe.each(flavors)('events on %s', async (flavor) => {
  const bed = await makeBed(flavor);
  const stock = knex({ client: 'mysql2', connection: { ...bed.primary } });
  afterAll(() => stock.destroy());

  it.each<readonly [what: string, run: (db: Knex) => PromiseLike<unknown>, lines: string[]]>([
    [
      'a builder',
      (db) => db('person').select('id'),
      [
        'query | select `id` from `person` |  | replica | read',
        'query-response | select `id` from `person` | replica | replica | read',
      ],
    ],
    [
      'a raw query',
      (db) => db.raw('select 1 from person'),
      [
        'query | select 1 from person |  | replica | read',
        'query-response | select 1 from person | replica | replica | read',
      ],
    ],
    [
      'a write',
      (db) => db('person').where('id', -1).del(),
      [
        'query | delete from `person` where `id` = ? |  | primary | not-a-read',
        'query-response | delete from `person` where `id` = ? | primary | primary | not-a-read',
      ],
    ],
    [
      'a schema builder',
      (db) => db.schema.hasColumn('person', 'id'),
      [
        'query | show columns from `person` |  | primary | show',
        'query-response | show columns from `person` | primary | primary | show',
      ],
    ],
    [
      'a stream',
      (db) => finished(db('person').select('id').stream().resume()),
      ['query | select `id` from `person` |  | replica | read'],
    ],
    [
      'a stream that fails',
      (db) => failureOf(finished(db.raw(twoRows).stream().resume())),
      [`query | ${twoRows} |  | replica | read`],
    ],
    [
      'an error',
      (db) => failureOf(db.raw(twoRows)),
      [
        `query | ${twoRows} |  | replica | read`,
        `query-error | ${twoRows} | replica | replica | read`,
      ],
    ],
    [
      'an error that the primary was asked about',
      (db) => failureOf(db('nothing')),
      [
        'query | select * from `nothing` |  | primary | replica-differs',
        'query-error | select * from `nothing` | primary | primary | replica-differs',
      ],
    ],
    [
      'a clone',
      (db) => db.withUserParams({ a: 1 })('person').select('id'),
      [
        'query | select `id` from `person` |  | replica | read',
        'query-response | select `id` from `person` | replica | replica | read',
      ],
    ],
    [
      'a transaction',
      (db) =>
        db.transaction(async (trx) => {
          await trx('person').select('id');
          await trx.transaction((nested) => nested.raw('select 1'));
        }),
      [
        'query | BEGIN; |  | primary | not-a-read',
        'query | select `id` from `person` |  | primary | transaction',
        'query-response | select `id` from `person` | primary | primary | transaction',
        'query | SAVEPOINT nested |  | primary | transaction',
        'query | select 1 |  | primary | transaction',
        'query-response | select 1 | primary | primary | transaction',
        'query | RELEASE nested |  | primary | transaction',
        'query | COMMIT; |  | primary | transaction',
      ],
    ],
  ])('say where it ran, of %s', async (_what, run, lines) => {
    const db = bed.open();
    const events = eventsOf(db);
    await run(db);
    const told = linesOf(events).map((line) =>
      line.replace(/SAVEPOINT trx\d+;/, 'SAVEPOINT nested').replace('RELEASE SAVEPOINT', 'RELEASE'),
    );
    expect(told).toEqual(lines);
  });

  it('name the host', async () => {
    const [first] = bed.replicas;
    const db = bed.open({ replicas: [{ ...first, name: 'near' }] });
    const events = eventsOf(db);
    await db('person').select('id');
    expect(events.map(({ object }) => object.host)).toEqual(['near', 'near']);
  });

  it('of a builder itself are the same', async () => {
    const db = bed.open();
    const query = db('person').select('id');
    const events = eventsOf(query);
    await query;
    await query.clone();
    await failureOf(query.where('nothing', 1));
    expect(linesOf(events)).toEqual([
      'query | select `id` from `person` |  | replica | read',
      'query-response | select `id` from `person` | replica | replica | read',
      'query | select `id` from `person` where `nothing` = ? |  | primary | replica-differs',
      'query-error | select `id` from `person` where `nothing` = ? | primary | primary | replica-differs',
    ]);
  });

  it('of a transaction itself are the same', async () => {
    const trx = await bed.open().transaction();
    const events = eventsOf(trx);
    await trx('person').select('id');
    await trx.rollback();
    expect(linesOf(events)).toEqual([
      'query | select `id` from `person` |  | primary | transaction',
      'query-response | select `id` from `person` | primary | primary | transaction',
      'query | ROLLBACK |  | primary | transaction',
    ]);
  });

  it('say where it ran in the end', async () => {
    const { database, cluster } = bed;
    await cluster.primary.query(
      `CREATE FUNCTION ${database.name}.add_one() RETURNS INT MODIFIES SQL DATA
       BEGIN INSERT INTO person (name) VALUES ('one more'); RETURN 1; END`,
    );
    await cluster.waitUntilReplicated();
    const db = bed.open({ replication: { pureFunctions: ['add_one'] } });
    const events = eventsOf(db);
    await db.raw('select add_one() as n');
    expect(linesOf(events)).toEqual([
      'query | select add_one() as n |  | primary | fence',
      'query-response | select add_one() as n | primary | primary | fence',
    ]);
  });

  it('keep apart what runs at the same time, and what a listener runs', async () => {
    const db = bed.open();
    const events = eventsOf(db);
    let others = 0;
    db.on('query', ({ sql }: Told) => {
      if (/^select `age`/.test(sql) && others++ < 3) {
        void db('person').select('name').forcePrimary().then();
      }
    });
    const ages = () => db('person').select('age');
    await Promise.all([ages(), db('person').where('id', -1).del(), ages(), ages()]);
    await vi.waitUntil(() => events.filter(({ name }) => name === 'query-response').length === 7);
    const lines = linesOf(events).filter((line) => line.startsWith('query |'));
    expect(lines.sort()).toEqual([
      'query | delete from `person` where `id` = ? |  | primary | not-a-read',
      ...Array(3).fill('query | select `age` from `person` |  | replica | read'),
      ...Array(3).fill('query | select `name` from `person` |  | primary | force-primary'),
    ]);
  });

  it('have Knex’s own keys, in its order, and the three', async () => {
    const keysOf = async (db: Knex) => {
      const events = eventsOf(db);
      await db('person').where('id', 1).first();
      await db.raw('select 1').queryContext({ a: 1 });
      await db.schema.hasColumn('person', 'id');
      await finished(db('person').stream().resume());
      await failureOf(db('nothing').options({ rowsAsArray: true }));
      await db.transaction((trx) => trx.raw('select 1'));
      return events.map(({ name, object }) => {
        const { host: _host, role: _role, reason: _reason, ...rest } = object;
        const values = Object.entries(rest).filter(([key]) => !/Uid|TxId|response/.test(key));
        return [name, Object.keys(rest), JSON.stringify(values)];
      });
    };
    const ours = bed.open();
    const [told, toldByStock] = [await keysOf(ours), await keysOf(stock)];
    expect(told).toEqual(toldByStock);
  });

  it('come from connections of the user’s own as they do from Knex', async () => {
    const db = bed.open();
    const events = eventsOf(db);
    const connection: unknown = await stock.client.acquireConnection();
    await db('person').select('id').forcePrimary().connection(connection);
    await stock.client.releaseConnection(connection);
    expect(events.map(({ name, object }) => [name, 'host' in object])).toEqual([
      ['query', false],
      ['query-response', false],
    ]);
  });

  it('of migrations say that they ran on the primary', async () => {
    const db = bed.open();
    const events = eventsOf(db);
    const migration = {
      up: (trx: Knex) => trx('person').select('id'),
      down: async () => {},
    };
    await db.migrate.latest({
      migrationSource: {
        getMigrations: async () => ['1'],
        getMigrationName: (name: string) => name,
        getMigration: async () => migration,
      },
    });
    const told = events.map(({ object }) => object);
    expect(told.length).toBeGreaterThan(10);
    expect(new Set(told.map(({ role }) => role))).toEqual(new Set(['primary']));
  });

  describe('errors', () => {
    it.each<readonly [what: string, role: string, run: (db: Knex) => PromiseLike<unknown>]>([
      [
        'a builder',
        'replica',
        (db) => db('person').where('id', db.raw('(select 1 union select 2)')),
      ],
      ['a raw query', 'replica', (db) => db.raw(twoRows)],
      ['a read that the primary was asked about', 'primary', (db) => db('nothing')],
      ['a write', 'primary', (db) => db('nothing').insert({ id: 1 })],
      ['a stream', 'replica', (db) => finished(db.raw(twoRows).stream().resume())],
      ['a transaction', 'primary', (db) => db.transaction((trx) => trx('nothing'))],
      ['a schema', 'primary', (db) => db.schema.dropTable('nothing')],
    ])('of %s say where it ran: %s', async (_what, role, run) => {
      const error = (await failureOf(run(bed.open()))) as Error & StatementRoute;
      const [ours, theirs] = [error, await failureOf(run(stock))];
      expect(error).toMatchObject({ role, host: expect.stringContaining('127.0.0.1') });
      expect(error.reason).toEqual(expect.any(String));
      expect(Object.keys(ours)).toEqual(Object.keys(theirs));
      expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
      expect(ours.message).toBe(theirs.message);
    });

    it.each([true, false])('of a timeout say where it runs (cancel: %j)', async (cancel) => {
      const db = bed.open();
      await db.raw('select 1');
      const query = db('person').select('id', db.raw('sleep(2)')).where('id', 1);
      const error = await failureOf(query.timeout(150, { cancel }));
      expect(error).toMatchObject({ role: 'primary', name: 'KnexTimeoutError' });
    });
  });

  it('are Knex’s own without replicas', async () => {
    const db = bed.open({ replicas: [] });
    const events = eventsOf(db);
    const tag = newTag();
    await db('person').where('name', tag);
    const error = await failureOf(db('nothing'));
    expect(events.map(({ object }) => 'host' in object)).toEqual(Array(4).fill(false));
    expect('host' in error).toBe(false);
  });
});
