import { once } from 'node:events';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { forcePrimary } from '@rwsplit/knex';
import type { Knex } from 'knex';
import { describe, expect, it, vi } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { failureOf, makeBed, newTag } from './bed.ts';

const oneSlot = { pool: { min: 0, max: 1 } };

/** What Knex's pool tells of itself; its types say less. */
interface TarnPool {
  numUsed(): number;
  numPendingAcquires(): number;
  on(event: 'release', listener: () => void): void;
}

function poolOf(db: Knex): TarnPool {
  return db.client.pool as TarnPool;
}

async function rowsOf(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of stream) {
    rows.push(row);
  }
  return rows;
}

describe.each(flavors)('Knex streams on %s', async (flavor) => {
  const bed = await makeBed(flavor);

  it.each([
    [
      'a builder',
      'replica',
      (db: Knex, tag: string) => db('person').whereNot('name', tag).stream(),
    ],
    [
      'raw',
      'replica',
      (db: Knex, tag: string) => db.raw('select * from person where name <> ?', [tag]).stream(),
    ],
    [
      'a locking read',
      'primary',
      (db: Knex, tag: string) => db('person').whereNot('name', tag).forUpdate().stream(),
    ],
    [
      'forcePrimary',
      'primary',
      (db: Knex, tag: string) => db('person').whereNot('name', tag).forcePrimary().stream(),
    ],
    [
      'forcePrimary, cloned',
      'primary',
      (db: Knex, tag: string) => db('person').whereNot('name', tag).forcePrimary().clone().stream(),
    ],
    [
      'forcePrimary(raw)',
      'primary',
      (db: Knex, tag: string) =>
        forcePrimary(db.raw('select * from person where name <> ?', [tag])).stream(),
    ],
    [
      'query context',
      'primary',
      (db: Knex, tag: string) =>
        db('person').whereNot('name', tag).queryContext({ forcePrimary: true }).stream(),
    ],
    [
      'query context of raw',
      'primary',
      (db: Knex, tag: string) =>
        db
          .raw('select * from person where name <> ?', [tag])
          .queryContext({ forcePrimary: true })
          .stream({ highWaterMark: 1 }),
    ],
  ] as const)('%s: %s', async (_what, role, start) => {
    const db = bed.open();
    const tag = newTag();
    const rows = await rowsOf(start(db, tag));
    expect(rows).toEqual(await db('person'));
    expect(await bed.ran(tag)).toEqual([role]);
  });

  it('stays in its transaction', async () => {
    const db = bed.open();
    const tag = newTag();
    const rows = await db.transaction(async (trx) => {
      await trx('person').insert({ name: tag });
      return rowsOf(trx('person').where('name', tag).stream());
    });
    expect(rows).toHaveLength(1);
    expect(await bed.ran(tag)).toEqual(['primary', 'primary']);
    await db('person').where('name', tag).del();
    await bed.cluster.waitUntilReplicated();
  });

  it('is given to a handler, and piped', async () => {
    const db = bed.open(oneSlot);
    const seen: unknown[] = [];
    const collect = () =>
      new Writable({
        objectMode: true,
        write: (row: unknown, _encoding, done) => {
          seen.push(row);
          done();
        },
      });
    await db('person').stream((stream) => stream.pipe(collect()));
    const target = collect();
    db('person').pipe(target);
    await finished(target);
    expect(seen).toEqual([...(await db('person')), ...(await db('person'))]);
  });

  it('is released once, though Knex releases it twice', async () => {
    const db = bed.open(oneSlot);
    let releases = 0;
    poolOf(db).on('release', () => {
      releases += 1;
    });
    await rowsOf(db('person').stream());
    await sleep(20);
    expect(releases).toBe(1);
    expect(poolOf(db).numUsed()).toBe(0);
  });

  it('does not free the slot of whoever waited for it', async () => {
    const db = bed.open(oneSlot);
    const stillWaiting: number[] = [];
    const transaction = () =>
      db.transaction(async (trx) => {
        stillWaiting.push(poolOf(db).numPendingAcquires());
        await trx('person').first();
        await sleep(60);
      });
    const stream = db('person').stream();
    await vi.waitUntil(() => poolOf(db).numUsed() === 1);
    const waiting = [transaction(), transaction()];
    await vi.waitUntil(() => poolOf(db).numPendingAcquires() === 2);
    stream.resume();
    await finished(stream);
    await Promise.all(waiting);
    expect(stillWaiting).toEqual([1, 0]);
  });

  it('gives its slot back when it is closed early', async () => {
    const db = bed.open(oneSlot);
    const stream = db('person').select('person.*').crossJoin(db.raw('person b')).stream();
    for await (const _row of stream) {
      break;
    }
    expect(await db('person').where('name', 'Ada').pluck('age')).toEqual([36]);
    expect(poolOf(db).numUsed()).toBe(0);
  });

  it('gives its slot back when it was closed while it waited for one', async () => {
    const db = bed.open(oneSlot);
    const tag = newTag();
    const trx = await db.transaction();
    const stream = db('person').where('name', tag).stream();
    stream.destroy();
    await once(stream, 'close');
    await trx.rollback();
    expect(await db('person').first()).toMatchObject({ name: 'Ada' });
    expect(await bed.ran(tag)).toEqual([]);
  });

  it('fails with the error of the server, and gives its slot back', async () => {
    const db = bed.open(oneSlot);
    const failure = await failureOf(rowsOf(db('nothing').stream()));
    expect(failure).toMatchObject({ code: 'ER_NO_SUCH_TABLE' });
    expect(await db('person').first()).toMatchObject({ name: 'Ada' });
  });
});
