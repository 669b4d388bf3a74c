import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, type KyselyPlugin, sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { createTables, crowd, hosts, newTag, open, rolesOf, type Tables } from './people.ts';

/** Each test uses more streams than there are connections: what is not given back is missed. */
const limit = 3;
const times = Array.from({ length: limit * 2 }, (_, index) => index);

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);
  const { primary, replicas } = hosts(cluster, database);
  const db = open(cluster, database, {
    primary: { ...primary, connectionLimit: limit },
    replicas: replicas.slice(0, 1),
    acquireTimeout: 3_000,
  });
  beforeAll(async () => {
    await createTables(cluster, database);
    return () => db.destroy();
  });

  const people = (on: Kysely<Tables>) => on.selectFrom('person').selectAll();

  it.each([undefined, 1, 7])('gives every row, with a chunk size of %s', async (chunkSize) => {
    for (const _ of times) {
      const rows: unknown[] = [];
      for await (const row of people(db).orderBy('id').stream(chunkSize)) rows.push(row);
      expect(rows).toHaveLength(crowd);
    }
  });

  it.each(['on replicas', 'on the primary', 'in transactions'])(
    'gives the connection back when it is left early, %s',
    async (place) => {
      const readOne = async (on: Kysely<Tables>) => {
        const query = place === 'on the primary' ? people(on).forUpdate() : people(on);
        for await (const _ of query.stream(1)) break;
      };
      for (const _ of times) {
        await (place === 'in transactions' ? db.transaction().execute(readOne) : readOne(db));
      }
      await Promise.all(times.map(() => db.transaction().execute((trx) => readOne(trx))));
    },
  );

  it('gives the connection back when its query fails, or its reader does', async () => {
    for (const _ of times) {
      const stream = db.selectFrom('person').select(sql`nope`.as('x')).stream();
      await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ errno: 1054 });
      const reading = (async () => {
        for await (const _ of people(db).stream()) throw new Error('reader');
      })();
      await expect(reading).rejects.toThrow('reader');
    }
    const tag = newTag();
    await people(db).where('name', '=', tag).execute();
    expect(await rolesOf(cluster, tag)).toEqual(['replica']);
  });

  it('stays ended once it was left', async () => {
    const stream = people(db).stream(1);
    for await (const _ of stream) break;
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('holds no connection before its first row is asked for', async () => {
    const streams = times.map(() => people(db).stream());
    await people(db).execute();
    expect(streams).toHaveLength(times.length);
  });

  it('reads at the pace of its reader, and others go on meanwhile', async () => {
    let count = 0;
    for await (const _ of people(db).limit(20).stream()) {
      count += 1;
      if (count % 10 === 0) {
        await sleep(5);
        await people(db).limit(1).execute();
      }
    }
    expect(count).toBe(20);
  });

  describe('a signal', () => {
    const abortInTransform = (abort: AbortController): KyselyPlugin => ({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        abort.abort(new Error('enough'));
        return result;
      },
    });

    it.each(['before', 'between rows', 'in a plugin'])('ends it, aborted %s', async (moment) => {
      for (const _ of times) {
        const abort = new AbortController();
        if (moment === 'before') abort.abort(new Error('enough'));
        const plain = people(db);
        const query = moment === 'in a plugin' ? plain.withPlugin(abortInTransform(abort)) : plain;
        const reading = (async () => {
          for await (const _ of query.stream({ signal: abort.signal, chunkSize: 1 })) {
            abort.abort(new Error('enough'));
          }
        })();
        await expect(reading).rejects.toThrow('enough');
      }
    });
  });
});
