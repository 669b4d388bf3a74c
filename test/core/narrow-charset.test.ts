import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  channels,
  createReplicatedPool,
  type ReplicatedPool,
  type StatementEvent,
} from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

/*
 * With `latin1`, mysql2 keeps the low byte of each character: U+0127 arrives as an apostrophe,
 * U+5820 as a space.
 */
const lock = 'GET_LOCK(0x77696465, 0)';
const wide: readonly [why: string, sql: string, values: unknown][] = [
  ['a quote that ends a string', `SELECT 'ħ, ${lock} -- '`, undefined],
  ['white space in a name', 'SELECT 1 AS v堠', undefined],
  ['a bound value', 'SELECT ? AS v', [`ħ, ${lock} -- `]],
  ['a bound value in a list', 'SELECT 1 AS v WHERE 1 IN (?)', [['a', 'ħ']]],
  ['a name in an object', 'SELECT 1 AS v WHERE ?', [{ ħ: 1 }]],
];
const narrow: typeof wide = [
  ['characters of Latin-1', "SELECT 'Zürich' AS v", undefined],
  ['bound values of Latin-1', 'SELECT ? AS v', ['Zürich']],
  ['bytes', 'SELECT ? AS v', [Buffer.from('ħ')]],
];

describe.each(flavors)('%s', (flavor) => {
  const cluster = sharedCluster(flavor);
  const events: StatementEvent[] = [];
  let core: ReplicatedPool;

  const note = (event: unknown) => void events.push(event as StatementEvent);
  beforeAll(() => subscribe(channels.statement, note));
  afterAll(() => unsubscribe(channels.statement, note));
  afterEach(() => core.promise().end());

  async function roleOf(charset: string, sql: string, values: unknown) {
    core = createReplicatedPool({
      primary: { ...cluster.connectionOptions(cluster.primary), charset },
      replicas: cluster.replicas.map((server) => cluster.connectionOptions(server)),
    });
    events.length = 0;
    // Some of these texts are no SQL once they arrive.
    await core
      .promise()
      .query({ sql, values: values as string[] })
      .catch(() => {});
    const { role, reason } = events[0] ?? {};
    return { role, reason };
  }

  it.each(wide)('latin1 cannot send %s: to the primary', async (_, sql, values) => {
    expect(await roleOf('latin1', sql, values)).toEqual({ role: 'primary', reason: 'malformed' });
  });

  it('sjis has a backslash in the place of the yen sign', async () => {
    const values = ['¥', `, ${lock} -- `];
    expect(await roleOf('sjis_japanese_ci', 'SELECT ? AS a, ? AS b', values)).toEqual({
      role: 'primary',
      reason: 'malformed',
    });
    expect((await roleOf('sjis_japanese_ci', 'SELECT ? AS a', ['plain'])).role).toBe('replica');
  });

  it.each(narrow)('latin1 can send %s', async (_, sql, values) => {
    expect((await roleOf('latin1', sql, values)).role).toBe('replica');
  });

  it.each(wide)('utf8mb4 can send %s', async (_, sql, values) => {
    expect((await roleOf('utf8mb4', sql, values)).role).toBe('replica');
  });
});
