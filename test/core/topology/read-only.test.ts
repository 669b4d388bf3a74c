import { describe, expect, it } from 'vitest';
import { readOnly, type Willingness } from '../../../packages/core/src/topology/read-only.ts';

const { read, resolve } = readOnly;

const takes = (server: string): Willingness => ({ server, isWritable: true, isOffline: false });
const refuses = (server: string): Willingness => ({ server, isWritable: false, isOffline: false });

describe('roles', () => {
  it.each<
    [
      reason: string,
      said: Record<string, Willingness | null>,
      primary: string | null,
      writable: string[],
      readable: string[],
    ]
  >([
    [
      'who takes writes is the primary',
      { 'a:1': refuses('a'), 'b:1': takes('b'), 'c:1': refuses('c') },
      'a:1',
      ['b:1'],
      ['a:1', 'c:1'],
    ],
    [
      'nobody takes writes',
      { 'a:1': refuses('a'), 'b:1': refuses('b') },
      'a:1',
      [],
      ['a:1', 'b:1'],
    ],
    ['two take writes', { 'a:1': takes('a'), 'b:1': takes('b') }, 'a:1', ['a:1', 'b:1'], []],
    [
      'no answer: neither, also for the primary until now',
      { 'a:1': null, 'b:1': refuses('b') },
      'a:1',
      [],
      ['b:1'],
    ],
    [
      'a closed server: neither',
      { 'a:1': { ...takes('a'), isOffline: true }, 'b:1': { ...refuses('b'), isOffline: true } },
      null,
      [],
      [],
    ],
    [
      'one server under two names keeps that of the primary',
      { 'a:1': takes('a'), 'primary:1': takes('a'), 'b:1': refuses('b') },
      'primary:1',
      ['primary:1'],
      ['b:1'],
    ],
    [
      'one server under two names, and no primary yet',
      { 'primary:1': takes('a'), 'a:1': takes('a') },
      null,
      ['a:1'],
      [],
    ],
  ])('%s', (_, said, primary, writable, readable) => {
    expect(resolve(new Map(Object.entries(said)), primary)).toEqual({
      writable,
      readable,
      members: null,
      lags: new Map(),
    });
  });
});

describe('an answer', () => {
  const mysql = {
    read_only: 0,
    innodb_read_only: 0,
    server_id: 1,
    hostname: 'db1',
    port: 3306,
    server_uuid: 'uuid-1',
    super_read_only: 0,
    offline_mode: 0,
  };
  const mariadb = { read_only: 0, innodb_read_only: 0, server_id: 1, hostname: 'db1', port: 3306 };

  it.each<[reason: string, row: Record<string, unknown>, isWritable: boolean, isOffline: boolean]>([
    ['MySQL, open', mysql, true, false],
    ['MySQL, read_only', { ...mysql, read_only: 1 }, false, false],
    ['MySQL, super_read_only', { ...mysql, super_read_only: 1 }, false, false],
    [
      'MySQL, innodb_read_only, as an Aurora reader',
      { ...mysql, innodb_read_only: 1 },
      false,
      false,
    ],
    ['MySQL, offline_mode', { ...mysql, offline_mode: 1 }, true, true],
    ['MariaDB, open', mariadb, true, false],
    ['MariaDB, read_only', { ...mariadb, read_only: 1 }, false, false],
    ['MariaDB 12, OFF', { ...mariadb, read_only: 'OFF' }, true, false],
    ['MariaDB 12, ON', { ...mariadb, read_only: 'ON' }, false, false],
    ['MariaDB 12, NO_LOCK', { ...mariadb, read_only: 'NO_LOCK' }, false, false],
    ['MariaDB 12, NO_LOCK_NO_ADMIN', { ...mariadb, read_only: 'NO_LOCK_NO_ADMIN' }, false, false],
    ['a word that is not known', { ...mariadb, read_only: 'SOMEWHAT' }, false, false],
    ['numbers as text', { ...mysql, read_only: '0', server_id: '1' }, true, false],
  ])('%s', (_, row, isWritable, isOffline) => {
    expect(read([row])).toMatchObject({ isWritable, isOffline });
  });

  it.each<[reason: string, change: Record<string, unknown>]>([
    ['its UUID', { server_uuid: 'uuid-2' }],
    ['its server_id', { server_id: 2 }],
    ['its host', { hostname: 'db2' }],
    ['its port', { port: 3307 }],
  ])('tells servers apart by %s', (_, change) => {
    expect(read([{ ...mysql, ...change }])?.server).not.toBe(read([mysql])?.server);
  });

  it('is none without rows, and where they are those of something else', () => {
    expect(read([])).toBeNull();
    expect(read([{ a: 1 }])).toBeNull();
  });
});
