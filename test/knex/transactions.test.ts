import { setTimeout as sleep } from 'node:timers/promises';
import { forcePrimary } from '@rwsplit/knex';
import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { failureOf, makeBed, newTag } from './bed.ts';

describe.each(flavors)('Knex transactions on %s', async (flavor) => {
  const bed = await makeBed(flavor);

  /** Statements of a transaction: the tag is a value in each. */
  async function oneThread(tag: string): Promise<boolean> {
    const ran = await bed.cluster.whoRan(tag);
    return (
      ran.every(({ server }) => server === 'primary') &&
      new Set(ran.map(({ threadId }) => threadId)).size === 1
    );
  }

  it('runs reads and writes of a transaction on one connection of the primary, and commits', async () => {
    const db = bed.open();
    const tag = newTag();
    const found = await db.transaction(async (trx) => {
      await trx('person').where('name', tag);
      await trx('person').insert({ name: tag });
      await trx.raw('select ?', [tag]);
      return trx('person').where('name', tag).forcePrimary();
    });
    expect(found).toHaveLength(1);
    expect(await bed.ran(tag)).toHaveLength(4);
    expect(await oneThread(tag)).toBe(true);
    await bed.cluster.waitUntilReplicated();
    expect(await db('person').where('name', tag)).toHaveLength(1);
    expect(await bed.ran(tag)).toContain('replica');
  });

  it('rolls back, and gives the connection on without the transaction', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 } });
    const tag = newTag();
    const failure = await failureOf(
      db.transaction(async (trx) => {
        await trx('person').insert({ name: tag });
        throw new Error('never mind');
      }),
    );
    expect(failure.message).toBe('never mind');
    expect(await db('person').where('name', tag).forcePrimary()).toEqual([]);
    await db('person').where('name', tag);
    expect((await bed.ran(tag)).filter((role) => role === 'replica')).toHaveLength(1);
  });

  it('keeps the outer transaction where it is after a nested one has ended', async () => {
    const db = bed.open();
    const tag = newTag();
    await db.transaction(async (trx) => {
      await trx('person').insert({ name: tag });
      await failureOf(
        trx.transaction(async (nested) => {
          await nested('person').insert({ name: tag, age: 1 });
          throw new Error('undo');
        }),
      );
      await trx.transaction((nested) => nested('person').insert({ name: tag, age: 2 }));
      // Knex has taken __knexTxId off the connection by now.
      expect(await trx('person').where('name', tag).orderBy('age').pluck('age')).toEqual([null, 2]);
    });
    expect(await oneThread(tag)).toBe(true);
    expect(await db('person').where('name', tag).orderBy('age').pluck('age')).toBeInstanceOf(Array);
    expect(await db('person').where('name', tag).forcePrimary()).toHaveLength(2);
  });

  it('takes a transaction from a provider, and by transacting()', async () => {
    const db = bed.open();
    const tag = newTag();
    const provide = db.transactionProvider();
    const trx = await provide();
    expect(await provide()).toBe(trx);
    await db('person').transacting(trx).where('name', tag);
    await db.raw('select ?', [tag]).transacting(trx);
    await trx('person').insert({ name: tag });
    await trx.commit();
    expect(await oneThread(tag)).toBe(true);
    expect(await bed.ran(tag)).toHaveLength(3);
    expect(await failureOf(trx('person'))).toMatchObject({
      message: expect.stringContaining('Transaction query already complete'),
    });
  });

  it.each([
    ['isolationLevel', { isolationLevel: 'read committed' as const }],
    ['readOnly', { readOnly: true }],
  ])('runs all of a transaction with %s on one connection', async (_name, options) => {
    const db = bed.open();
    const tag = newTag();
    await db.transaction((trx) => trx('person').where('name', tag), options);
    expect(await oneThread(tag)).toBe(true);
    expect(await bed.ran(tag)).toEqual(['primary']);
    if ('readOnly' in options) {
      const failure = await failureOf(
        db.transaction((trx) => trx('person').insert({ name: tag }), options),
      );
      expect(failure).toMatchObject({ errno: 1792 });
    }
  });

  it('runs forcePrimary inside a transaction without effect', async () => {
    const db = bed.open();
    const tag = newTag();
    await db.transaction(async (trx) => {
      await forcePrimary(trx.raw('select ?', [tag]));
      await trx('person').where('name', tag).queryContext({ forcePrimary: true });
    });
    expect(await oneThread(tag)).toBe(true);
  });

  it('runs .connection(conn), and transactions on it, in the session that was acquired', async () => {
    const db = bed.open();
    const tag = newTag();
    const connection: unknown = await db.client.acquireConnection();
    try {
      await db('person').connection(connection).where('name', tag);
      expect(await bed.ran(tag)).toEqual(['replica']);
      await db.transaction((trx) => trx('person').insert({ name: tag }), { connection });
      await db('person').connection(connection).where('name', tag);
      // After its own write, a session reads on the primary.
      expect(await bed.ran(tag)).toEqual(['primary', 'primary', 'replica']);
      expect(db.client.pool?.numUsed()).toBe(1);
    } finally {
      await db.client.releaseConnection(connection);
    }
    expect(db.client.pool?.numUsed()).toBe(0);
  });

  it('gives a session that its user has released to nobody, and frees its slot once', async () => {
    const db = bed.open({ pool: { min: 0, max: 1 } });
    const first: unknown = await db.client.acquireConnection();
    await db.client.releaseConnection(first);
    const second: unknown = await db.client.acquireConnection();
    expect(second).not.toBe(first);
    await db.client.releaseConnection(first);
    expect(db.client.pool?.numUsed()).toBe(1);
    const failure = await failureOf(db('person').connection(first));
    expect(failure).toMatchObject({ code: 'RWSPLIT_CONNECTION_RELEASED' });
    await db.client.releaseConnection(second);
  });

  it('ends the transaction of a connection that was killed with an error, and goes on', async () => {
    const db = bed.open();
    const tag = newTag();
    const failure = await failureOf(
      db.transaction(async (trx) => {
        await trx('person').insert({ name: tag });
        const { threadId } = (await trx.client.acquireConnection()) as { threadId: number };
        await db.raw('kill ?', [threadId]);
        await sleep(50);
        await trx('person').where('name', tag);
      }),
    );
    expect(failure).toMatchObject({ fatal: true });
    expect(await db('person').where('name', tag).forcePrimary()).toEqual([]);
  });

  it('puts Knex’s marks on the session: uid on every event, transaction id inside', async () => {
    const db = bed.open();
    const seen: { __knexUid?: string; __knexTxId?: string }[] = [];
    db.on('query', (event) => seen.push(event));
    await db('person').first();
    await db.transaction((trx) => trx('person').first());
    expect(seen.map(({ __knexUid }) => __knexUid)).toEqual(
      Array(4).fill(expect.stringMatching(/^__knexUid\d+$/)),
    );
    expect(seen.map(({ __knexTxId }) => __knexTxId !== undefined)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });
});
