import { inspect } from 'node:util';
import { ReplicatedMysql2 } from '@rwsplit/knex';
import knex, { type Knex } from 'knex';
import { createPool } from 'mysql2';
import { describe, expect, it } from 'vitest';
import type { ConnectionOptions } from '../support/servers/cluster.ts';
import { failureOf, makeBed, newTag } from './bed.ts';

function urlOf({ user, password, host, port, database }: ConnectionOptions): string {
  return `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

describe('passwords', async () => {
  const bed = await makeBed('mysql');
  const { primary, replicas } = bed;
  const secret = primary.password;
  const print = (value: unknown) => inspect(value, { depth: null, maxArrayLength: null });

  const configs: [string, () => Partial<Knex.Config>][] = [
    [
      'options',
      () => ({ connection: { ...primary }, replicas: replicas.map((one) => ({ ...one })) }),
    ],
    ['URLs', () => ({ connection: { uri: urlOf(primary) }, replicas: replicas.map(urlOf) })],
    [
      'a URL for the primary',
      () => ({ connection: urlOf(primary), replicas: replicas.map(({ port }) => ({ port })) }),
    ],
    [
      'URLs in options',
      () => ({
        connection: { ...primary },
        replicas: replicas.map((one) => ({ uri: urlOf(one) })),
      }),
    ],
    ['a function', () => ({ connection: () => ({ ...primary }), replicas })],
  ];

  it.each(configs)('given as %s are in nothing that is printed', async (_what, config) => {
    expect(secret).not.toBe('');
    const db = bed.open(config());
    await db('person').first();
    const session: unknown = await db.client.acquireConnection();
    const trx = await db.transaction();
    await trx('person').first();
    const clone = db.withUserParams({ a: 1 });
    await clone('person').first();
    const printed = [
      db,
      db.client,
      db.client.pool,
      db('person').connection(session),
      trx('person'),
      trx,
      clone.client,
      session,
      await failureOf(db('nothing')),
      await failureOf(trx('nothing')),
    ];
    for (const value of printed) {
      expect(print(value)).not.toContain(secret);
      expect(print(value)).not.toContain(encodeURIComponent(secret));
    }
    await trx.rollback();
    await db.client.releaseConnection(session);
  });

  it('are not in the errors of a login, nor in those of options', async () => {
    const connection = { ...primary, user: 'nobody' };
    const failure = await failureOf(bed.open({ connection, replicas })('person'));
    expect(print(failure)).not.toContain(secret);
    const construct = () =>
      bed.open({
        replicas: [`${urlOf(primary)} no URL`, { password: secret, hots: 'a' } as object],
      });
    expect(construct).toThrow(/RWSPLIT|Invalid options/);
    expect(await failureOf(Promise.resolve().then(construct)).then(print)).not.toContain(secret);
  });

  it('stay in the user’s own objects, and where Knex reads them', async () => {
    const connection = { ...primary };
    const own = replicas.map((one) => ({ ...one }));
    const db = bed.open({ connection, replicas: own });
    await db('person').first();
    expect(connection).toEqual(primary);
    expect(own).toEqual(replicas);
    expect(db.client.connectionSettings).toHaveProperty('password', secret);
    const byFunction = bed.open({ connection: () => connection });
    await byFunction('person').first();
    expect(connection).toEqual(primary);
    expect(db.client.config.replicas?.[0]).toHaveProperty('password', secret);
  });

  it('go along when a configuration is read back from a client', async () => {
    const db = bed.open({ replicas: replicas.map(urlOf) });
    const again = bed.open(db.client.config);
    const tag = newTag();
    await again('person').where('name', tag);
    expect(await bed.ran(tag)).toEqual(['replica']);
  });

  it('are not printed of a replica that is a pool', async () => {
    const pool = createPool({ ...(replicas[0] ?? primary) });
    const db = knex({ client: ReplicatedMysql2, connection: { ...primary }, replicas: [pool] });
    const tag = newTag();
    await db('person').where('name', tag);
    expect(await bed.ran(tag)).toEqual(['replica']);
    expect(print(db.client)).not.toContain(secret);
    await db.destroy();
  });
});
