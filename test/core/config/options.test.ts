import { inspect } from 'node:util';
import { createReplicatedPool, isRwSplitError, type ReplicatedPoolOptions } from '@rwsplit/core';
import mysql from 'mysql2';
import { afterEach, describe, expect, it } from 'vitest';
import { parseOptions } from '../../../packages/core/src/config/parse.ts';
import { parseUrl } from '../../../packages/core/src/config/url.ts';

const primary = { host: 'db-1', user: 'app', password: 'secret-1', database: 'shop', port: 3307 };

/** Options as somebody without types would give them. */
function messageOf(options: unknown): string {
  try {
    parseOptions(options as ReplicatedPoolOptions);
  } catch (error) {
    if (isRwSplitError(error) && error.code === 'RWSPLIT_OPTIONS') {
      return error.message;
    }
    throw error;
  }
  return 'no error';
}

describe('options', () => {
  it.each([
    ['no options', undefined, 'expected an object with `primary` and `replicas`'],
    [
      'no primary',
      {},
      'primary: expected mysql2 pool options, a URL (mysql://user@address:port/database) or a mysql2 pool, found undefined',
    ],
    ['a primary that is no host', { primary: 7 }, 'found 7'],
    [
      'a URL of something else',
      { primary: 'postgres://u:secret-1@db/x' },
      'primary: expected mysql2 pool options, a URL (mysql://user@address:port/database) or a mysql2 pool, found a string that is no such URL',
    ],
    ['a uri that is none', { primary: { uri: 'nonsense' } }, 'found a string that is no such URL'],
    ['a typo', { primary, replica: [] }, "replica: unknown option; did you mean 'replicas'?"],
    ['an option nobody knows', { primary, zzzzzzz: 1 }, 'zzzzzzz: unknown option'],
    [
      'replicas that are no list',
      { primary, replicas: {} },
      'replicas: expected an array of hosts, found an object',
    ],
    [
      'a replica that is no host',
      { primary, replicas: [null] },
      'replicas[0]: expected mysql2 pool options',
    ],
    [
      'a typo in a host',
      { primary: { ...primary, pasword: 'secret-2' } },
      "primary.pasword: unknown option; did you mean 'password'?",
    ],
    [
      'a port out of range',
      { primary: { ...primary, port: 70_000 } },
      'primary.port: expected a port number from 1 to 65535, found 70000',
    ],
    [
      'a host that is no text',
      { primary: { host: 5 } },
      'primary.host: expected a host name or address, found 5',
    ],
    [
      'an unknown balancing',
      { primary, balancing: 'fair' },
      "balancing: expected 'leastOutstanding' or 'roundRobin' or 'random' or a function, found 'fair'",
    ],
    [
      'a timeout of nothing',
      { primary, acquireTimeout: 0 },
      'acquireTimeout: expected a positive integer up to 2147483647 (milliseconds), found 0',
    ],
    [
      'a timeout as text',
      { primary, acquireTimeout: '5s' },
      "acquireTimeout: expected a positive integer up to 2147483647 (milliseconds), found '5s'",
    ],
    [
      'an interval that no timer knows',
      { primary, catalogueRefresh: 2 ** 40 },
      'catalogueRefresh: expected a positive integer up to 2147483647 (milliseconds) or false, found 1099511627776',
    ],
    [
      'a dialect that we do not speak',
      { primary, dialect: 'postgres' },
      "dialect: expected 'mysql' or 'mariadb', found 'postgres'",
    ],
    [
      'a hook that is none',
      { primary, onCreateConnection: {} },
      'onCreateConnection: expected a function, found an object',
    ],
    [
      'functions that are no list',
      { primary, pureFunctions: 'f' },
      "pureFunctions: expected an array of function names, 'f' or 'db.f', found 'f'",
    ],
    [
      'a table that is no text',
      { primary, primaryTables: ['t', 5] },
      "primaryTables: expected an array of table names, 't' or 'db.t', found an array of 2",
    ],
    [
      'a function with its arguments',
      { primary, pureFunctions: ['price', 'tax(a)'] },
      "pureFunctions[1]: expected a function name, 'f' or 'db.f', without quotes or parentheses, found 'tax(a)'",
    ],
    ['a function of two databases', { primary, pureFunctions: ['a.b.c'] }, "found 'a.b.c'"],
    ['a database without function', { primary, pureFunctions: ['shop.'] }, "found 'shop.'"],
    ['a function without database', { primary, pureFunctions: ['.price'] }, "found '.price'"],
    ['white space behind a name', { primary, pureFunctions: ['shop. tax'] }, "found 'shop. tax'"],
    ['a quoted function', { primary, pureFunctions: ['`shop`.tax'] }, "found '`shop`.tax'"],
    [
      'a name longer than any',
      { primary, pureFunctions: ['x'.repeat(65)] },
      'found a string of 65 characters',
    ],
    [
      'a function that waits',
      { primary, pureFunctions: ['SLEEP'] },
      "pureFunctions[0]: expected a stored or loadable function, found 'SLEEP', a built-in one that locks, waits, writes or tells of one server",
    ],
    [
      'a function of the session',
      { primary, pureFunctions: ['last_insert_id'] },
      "found 'last_insert_id', a built-in one that depends on its session",
    ],
    [
      'a function that writes in this dialect',
      { primary, dialect: 'mariadb', pureFunctions: ['nextval'] },
      "found 'nextval', a built-in one",
    ],
    [
      'a table of two databases',
      { primary, primaryTables: ['t', 'a.b.c'] },
      "primaryTables[1]: expected a table name, 't' or 'db.t', without quotes, found 'a.b.c'",
    ],
    ['a quoted table', { primary, primaryTables: ['"shop"."job"'] }, 'primaryTables[0]'],
    ['a table without a name', { primary, primaryTables: ['shop.'] }, "found 'shop.'"],
    [
      'two replicas of one name',
      {
        primary,
        replicas: [
          { name: 'r', host: 'a' },
          { name: 'r', host: 'b' },
        ],
      },
      "replicas[1].name: expected a name of its own, found 'r' again",
    ],
  ])('%s', (_name, options, expected) => {
    expect(messageOf(options)).toContain(expected);
  });

  const time = 'a positive integer up to 2147483647 (milliseconds)';
  const share = 'a number from 0 to 1';
  const amount = 'a number that is not negative';
  const topologies = "'static' or 'readOnly' or 'groupReplication' or 'aurora'";

  it.each([
    ['balancing', 7, "'leastOutstanding' or 'roundRobin' or 'random' or a function", '7'],
    ['balancing', '', "'leastOutstanding' or 'roundRobin' or 'random' or a function", "''"],
    ['zone', '', 'the name of a zone', "''"],
    ['zone', 1, 'the name of a zone', '1'],
    ['subset', 0, 'a positive integer (replicas)', '0'],
    ['subset', 1.5, 'a positive integer (replicas)', '1.5'],
    ['subset', '2', 'a positive integer (replicas)', "'2'"],
    ['subsetKey', 3, 'a text', '3'],
    ['subsetKey', ' ', 'a text', "' '"],
    ['primaryReads', -1, amount, '-1'],
    ['primaryReads', Number.NaN, amount, 'NaN'],
    ['primaryReads', Number.POSITIVE_INFINITY, amount, 'Infinity'],
    ['primaryReads', true, amount, 'true'],
    ['onNoReplica', 'replica', "'primary' or 'error'", "'replica'"],
    ['onNoReplica', null, "'primary' or 'error'", 'null'],
    ['primaryReadShare', 1.01, share, '1.01'],
    ['primaryReadShare', -0.1, share, '-0.1'],
    ['primaryReadShare', Number.NaN, share, 'NaN'],
    ['primaryReadShare', '0.5', share, "'0.5'"],
    ['allowPrimaryDown', 0, 'true or false', '0'],
    ['allowReplicasDown', 'no', 'true or false', "'no'"],
    ['maxLag', -1, `${time} or 0`, '-1'],
    ['maxLag', 0.5, `${time} or 0`, '0.5'],
    ['maxLag', '1s', `${time} or 0`, "'1s'"],
    ['maxLag', false, `${time} or 0`, 'false'],
    ['onLag', 'least', "'primary' or 'leastLagged' or 'error'", "'least'"],
    ['heartbeatTable', '', "a table name, 'db.table'", "''"],
    ['heartbeatTable', 'heartbeat', "a table name, 'db.table'", "'heartbeat'"],
    ['heartbeatTable', 'db.', "a table name, 'db.table'", "'db.'"],
    ['heartbeatTable', '.heartbeat', "a table name, 'db.table'", "'.heartbeat'"],
    ['heartbeatTable', ['a', 'b'], "a table name, 'db.table'", 'an array of 2'],
    ['topology', 'rds', topologies, "'rds'"],
    ['topology', true, topologies, 'true'],
    ['probeInterval', 0, time, '0'],
    ['probeInterval', false, time, 'false'],
    ['probeTimeout', 0, time, '0'],
    ['probeTimeout', 2 ** 31, time, '2147483648'],
    ['primaryWait', -5, `${time} or 0`, '-5'],
    ['primaryWait', null, `${time} or 0`, 'null'],
    ['maxLifetime', 0, `${time} or false`, '0'],
    ['maxLifetime', true, `${time} or false`, 'true'],
    ['minIdle', -1, 'an integer that is not negative', '-1'],
    ['minIdle', 1.5, 'an integer that is not negative', '1.5'],
    ['minIdle', '1', 'an integer that is not negative', "'1'"],
    ['dnsRefresh', 0, `${time} or false`, '0'],
    ['dnsRefresh', 'never', `${time} or false`, "'never'"],
    ['closeTimeout', -1, `${time} or 0`, '-1'],
    ['closeTimeout', false, `${time} or 0`, 'false'],
  ])('refuses %s: %s', (key, value, expected, found) => {
    const lines = messageOf({ primary, [key]: value }).split('\n');
    expect(lines).toEqual(['Invalid options:', `  - ${key}: expected ${expected}, found ${found}`]);
  });

  it.each([
    ['weight', -1, amount, '-1'],
    ['weight', '1', amount, "'1'"],
    ['weight', Number.NaN, amount, 'NaN'],
    ['groups', 'reports', 'an array of names of groups', "'reports'"],
    ['groups', ['reports', ''], 'an array of names of groups', 'an array of 2'],
    ['groups', [1], 'an array of names of groups', 'an array of 1'],
    ['zone', '', 'the name of a zone', "''"],
    ['zone', 7, 'the name of a zone', '7'],
  ])('refuses %s of a replica: %s', (key, value, expected, found) => {
    const replicas = [{ host: 'db-2' }, { host: 'db-3', [key]: value }];
    const lines = messageOf({ primary, replicas }).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain(`replicas[1].${key}: expected ${expected}`);
    expect(lines[1]).toContain(`found ${found}`);
  });

  it.each([
    ['heartbeatTabel', "did you mean 'heartbeatTable'?"],
    ['onlag', "did you mean 'onLag'?"],
    ['maxlag', "did you mean 'maxLag'?"],
    ['maxLifeTime', "did you mean 'maxLifetime'?"],
    ['subSet', "did you mean 'subset'?"],
    ['primaryRead', "did you mean 'primaryReads'?"],
    ['allowReplicaDown', "did you mean 'allowReplicasDown'?"],
    ['dnsRefreshes', "did you mean 'dnsRefresh'?"],
  ])('knows what %s was meant to be', (key, expected) => {
    expect(messageOf({ primary, [key]: 1 })).toContain(`${key}: unknown option; ${expected}`);
  });

  it.each([
    { balancing: () => 'db-2' },
    { balancing: 'random', zone: 'a', subset: 1, subsetKey: 'k' },
    { primaryReads: 0.25, primaryReadShare: 0, onNoReplica: 'error' },
    { primaryReadShare: 1, allowPrimaryDown: false, allowReplicasDown: false },
    { maxLag: 0, onLag: 'leastLagged', heartbeatTable: 'percona.heartbeat' },
    { topology: 'readOnly', probeInterval: 1, probeTimeout: 2_147_483_647, primaryWait: 0 },
    { maxLifetime: false, dnsRefresh: false, minIdle: 0, closeTimeout: 0 },
  ])('accepts %o', (routing) => {
    expect(messageOf({ primary, ...routing })).toBe('no error');
  });

  it('accepts what a host is to reads, and gives it to nobody else', () => {
    const traits = { weight: 0, groups: ['a', 'b'], zone: 'z' };
    const { hosts } = parseOptions({
      primary: { ...primary, ...traits },
      replicas: [{ host: 'db-2', ...traits }, { host: 'db-3' }],
    });
    expect(hosts.map((host) => host.traits)).toEqual([
      traits,
      traits,
      { weight: 1, groups: ['default'], zone: null },
    ]);
    for (const { source } of hosts) {
      expect('options' in source ? Object.keys(source.options) : []).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/weight|groups|zone/)]),
      );
    }
  });

  it('has the defaults that are documented', () => {
    expect(parseOptions({ primary }).routing).toEqual({
      balancing: 'leastOutstanding',
      primaryReads: 0,
      onNoReplica: 'primary',
      primaryReadShare: 1,
      allowPrimaryDown: true,
      allowReplicasDown: true,
      onLag: 'primary',
      topology: 'static',
      probeInterval: 1_000,
      probeTimeout: 1_000,
      primaryWait: 10_000,
      maxLifetime: 1_800_000,
      minIdle: 0,
      dnsRefresh: 30_000,
      closeTimeout: 10_000,
      causalWait: 50,
      causalWindow: 5_000,
      cluster: '',
      acquireTimeout: 10_000,
      checkIdleAfter: 30_000,
      catalogueRefresh: 300_000,
      trustDeclarations: false,
    });
  });

  it('refuses a topology that its hosts cannot be of when the pool is made', () => {
    expect(() => createReplicatedPool({ primary, topology: 'aurora' })).toThrow(
      /RWSPLIT|Invalid options/,
    );
  });

  it('reports every problem at once', () => {
    const message = messageOf({ primary: { port: 'x' }, replicas: 3, balancing: 1, colour: 'red' });
    expect(message.split('\n')).toHaveLength(5);
  });

  it('never shows what may be a password', () => {
    for (const options of [
      { primary: 'mysql:/app:secret-1@db' },
      { primary: { ...primary, host: 1 }, replicas: ['secret-1'] },
    ]) {
      expect(messageOf(options)).not.toContain('secret-1');
    }
  });

  it('accepts options that are left undefined', () => {
    expect(messageOf({ primary, replicas: undefined, balancing: undefined })).toBe('no error');
  });

  it.each([
    ['with and without database', { pureFunctions: ['price', 'Shop.Tax'] }],
    ['of a built-in one in a database', { pureFunctions: ['shop.sleep'] }],
    ['of a pure built-in one', { pureFunctions: ['left'] }],
    ['built in where this dialect is not', { dialect: 'mysql', pureFunctions: ['nextval'] }],
    ['built in in one of the two', { pureFunctions: ['nextval'] }],
    ['of 64 letters', { pureFunctions: [`${'d'.repeat(64)}.${'ü'.repeat(64)}`] }],
    ['with odd characters', { primaryTables: ['with `quote', 'a b', 'job (old)', "it's"] }],
  ])('accepts names %s', (_, routing) => {
    expect(messageOf({ primary, ...routing })).toBe('no error');
  });

  it('lets options of a newer mysql2 through', () => {
    expect(messageOf({ primary: { ...primary, somethingEntirelyNew: 1 } })).toBe('no error');
  });
});

describe('hosts', () => {
  const pools: mysql.Pool[] = [];
  afterEach(() => {
    for (const pool of pools.splice(0)) pool.end();
  });

  function optionsOf(replica: unknown, base: unknown = primary): Record<string, unknown> {
    const { hosts } = parseOptions({ primary: base, replicas: [replica] } as ReplicatedPoolOptions);
    const source = hosts[1]?.source;
    return source !== undefined && 'options' in source ? { ...source.options } : {};
  }

  it('gives a replica what it does not say itself', () => {
    expect(optionsOf({ host: 'db-2' })).toEqual({ ...primary, host: 'db-2' });
    expect(optionsOf({ host: 'db-2', password: 'own' })).toMatchObject({ password: 'own' });
  });

  it('takes what an option with a URL leaves undefined from the URL, not from the primary', () => {
    const uri = 'mysql://reader:pw@db-9:3399/shop';
    expect(optionsOf({ uri, host: undefined, port: undefined, password: '' })).toMatchObject({
      host: 'db-9',
      port: 3399,
      password: 'pw',
    });
    expect(optionsOf({ uri, port: 3400 })).toMatchObject({ host: 'db-9', port: 3400 });
    expect(optionsOf({ uri: undefined, host: 'db-2' })).toMatchObject({ host: 'db-2' });
  });

  it('does not give it what says which server it is', () => {
    const base = { ...primary, socketPath: '/run/primary.sock', localAddress: '10.0.0.1' };
    expect(optionsOf({ host: 'db-2' }, base)).toEqual({ ...primary, host: 'db-2' });
  });

  it('reads URLs, and lets a replica inherit from one', () => {
    expect(optionsOf('mysql://reader:p%40ss@db-3:3311/shop')).toMatchObject({
      host: 'db-3',
      port: 3311,
      user: 'reader',
      password: 'p@ss',
    });
    expect(optionsOf({ host: 'db-2' }, 'mysql://app:pw@db-1/shop?dateStrings=true')).toEqual({
      host: 'db-2',
      user: 'app',
      password: 'pw',
      database: 'shop',
      dateStrings: true,
    });
  });

  it('takes pools of mysql2 and of mysql2/promise, and lets a replica inherit from one', () => {
    const pool = mysql.createPool({ ...primary, namedPlaceholders: true });
    pools.push(pool);
    expect(optionsOf({ host: 'db-2' }, pool)).toMatchObject({
      host: 'db-2',
      user: 'app',
      password: 'secret-1',
      namedPlaceholders: true,
    });
    const other = mysql.createPool(primary);
    pools.push(other);
    const { hosts } = parseOptions({ primary: pool.promise(), replicas: [other] });
    expect(hosts.map(({ name }) => name)).toEqual(['db-1:3307', 'db-1:3307#2']);
  });

  it('takes no pool twice: one connection cannot be the primary’s and read-only', () => {
    const pool = mysql.createPool(primary);
    pools.push(pool);
    expect(messageOf({ primary: pool, replicas: [pool.promise()] })).toContain(
      'replicas[0]: expected a pool of its own, found one that another host has',
    );
  });

  it('shows no password when a pool is inspected', () => {
    const pool = createReplicatedPool({
      primary,
      replicas: [{ host: 'db-2', password: 'secret-2' }],
    });
    expect(inspect(pool, { depth: null, showHidden: false })).not.toMatch(/secret-/);
    expect(JSON.stringify(pool)).not.toMatch(/secret-/);
    pool.end();
  });
});

describe('parseUrl', () => {
  it.each([
    ['mysql://db', { host: 'db' }],
    ['mariadb://db:1', { host: 'db', port: 1 }],
    ['mysql://u@db/', { host: 'db', user: 'u' }],
    [
      'mysql://u:@db/a%20b?ssl={"ca":"x"}&charset=utf8mb4',
      { host: 'db', user: 'u', database: 'a b', ssl: { ca: 'x' }, charset: 'utf8mb4' },
    ],
    ['', null],
    ['db:3306', null],
    ['http://db', null],
    ['mysql://', null],
    ['mysql://app:p%zz@db/shop', null],
  ])('%s', (url, options) => {
    expect(parseUrl(url)).toEqual(options);
  });
});
