import { describe, expect, it } from 'vitest';
import { type OnBadToken, ScopeMarks } from '../../../packages/core/src/consistency/marks.ts';
import { formatParts, readToken } from '../../../packages/core/src/consistency/tokens.ts';
import {
  type GtidDialect,
  type GtidSet,
  parseGtidSet,
} from '../../../packages/core/src/gtid/set.ts';
import { longestToken, type TokenPart } from '../../../packages/core/src/gtid/token.ts';

const U = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const V = '0b11fa47-71ca-11e1-9e33-c80aa9429562';
const u = U.replaceAll('-', '');
const v = V.replaceAll('-', '');
const now = 1_790_000_000_000;
const refused = expect.objectContaining({ code: 'RWSPLIT_TOKEN' });

function gtids(text: string, dialect: GtidDialect = 'mysql'): GtidSet {
  const set = parseGtidSet(text, dialect);
  if (set === null) throw new Error(`not read as a set: ${text}`);
  return set;
}

function part(text: string, cluster = '', dialect: GtidDialect = 'mysql'): TokenPart {
  return { cluster, position: { kind: 'gtids', set: gtids(text, dialect) } };
}

/** The marks of a session that has written these. */
function wrote(cluster: string, ...texts: string[]): ScopeMarks {
  const marks = new ScopeMarks(cluster);
  for (const text of texts) marks.written.add(gtids(text));
  return marks;
}

/** The same, to servers of the other kind. */
function wroteToMariadb(text: string): ScopeMarks {
  const marks = new ScopeMarks('');
  marks.written.add(gtids(text, 'mariadb'));
  return marks;
}

const format = (marks: readonly ScopeMarks[], followed: readonly TokenPart[] = []) =>
  formatParts(marks, followed, now);

describe('the token of a session', () => {
  it('is none before it has written', () => {
    expect(format([])).toBeNull();
    expect(format([new ScopeMarks('')])).toBeNull();
  });

  it('says what it has written', () => {
    expect(format([wrote('', `${U}:5`, `${U}:6`)])).toBe(`1~!m${u}.5-6`);
  });

  it('says so of each cluster', () => {
    const marks = [wrote('b', `${U}:5`), new ScopeMarks('c'), wrote('a', `${V}:6`)];
    expect(format(marks)).toBe(`1~b!m${u}.5~a!m${v}.6`);
  });

  it('says when it was, of what no server has told', () => {
    const marks = new ScopeMarks('');
    marks.written.addUntold(now - 7);
    expect(format([marks])).toBe(`1~!t${now - 7}`);
  });

  it('says GTIDs rather than a time', () => {
    const marks = wrote('', `${U}:5`);
    marks.written.addUntold(now - 7);
    expect(format([marks])).toBe(`1~!m${u}.5`);
  });

  it('says what it knows while the server has still to say the rest', () => {
    const marks = wrote('', `${U}:5`);
    marks.written.owe();
    expect(format([marks])).toBe(`1~!m${u}.5`);
    marks.written.pay(marks.written.debts, gtids(`${U}:1-6`));
    expect(format([marks])).toBe(`1~!m${u}.1-6`);
  });

  it('says what it follows while the server has still to say the rest', () => {
    const marks = new ScopeMarks('');
    marks.follow(part(`${V}:6`), 'error', now);
    marks.written.owe();
    expect(format([marks])).toBe(`1~!m${v}.6`);
  });

  it('says now while the server has still to say all of it', () => {
    const marks = new ScopeMarks('');
    marks.written.addUntold(now - 7);
    marks.written.owe();
    expect(format([marks])).toBe(`1~!t${now}`);
    marks.written.pay(marks.written.debts, gtids(`${U}:1-6`));
    expect(format([marks])).toBe(`1~!m${u}.1-6`);
  });

  it.each<OnBadToken>(['error', 'ignore'])('passes on what it follows: %s', (onBadToken) => {
    const marks = wrote('', `${U}:5`);
    marks.follow(part(`${V}:6`), onBadToken, now);
    expect(format([marks])).toBe(`1~!m${v}.6!${u}.5`);
  });

  it('passes on a time that it follows', () => {
    const marks = new ScopeMarks('');
    marks.follow({ cluster: '', position: { kind: 'time', at: now - 9 } }, 'error', now);
    expect(format([marks])).toBe(`1~!t${now - 9}`);
  });

  it('passes on what no pool has read', () => {
    const followed = [part(`${V}:6`, 'b'), part(`${U}:1`, 'a')];
    expect(format([], followed)).toBe(`1~b!m${v}.6~a!m${u}.1`);
    expect(format([wrote('a', `${U}:5`)], followed)).toBe(`1~a!m${u}.5~b!m${v}.6`);
  });

  it('passes on all of two tokens that no pool has read', () => {
    expect(format([], [part(`${U}:5`), part(`${V}:6`), part(`${U}:7`)])).toBe(
      `1~!m${v}.6!${u}.5.7`,
    );
  });

  it('says GTIDs rather than a time, also of two tokens that no pool has read', () => {
    const time: TokenPart = { cluster: '', position: { kind: 'time', at: now } };
    expect(format([], [part(`${U}:5`), time])).toBe(`1~!m${u}.5`);
    expect(format([], [time, part(`${U}:5`)])).toBe(`1~!m${u}.5`);
  });

  it.each<[string, readonly string[], readonly string[], string]>([
    ['one wrote nothing', [`${U}:5`], [], `1~!m${u}.5`],
    ['both wrote the same', [`${U}:5`], [`${U}:5`], `1~!m${u}.5`],
    ['one wrote more', [`${U}:5`], [`${U}:1-9`], `1~!m${u}.1-9`],
    ['the other wrote more', [`${U}:1-9`], [`${U}:5`], `1~!m${u}.1-9`],
  ])('can be told of two pools with the same name: %s', (_why, one, other, token) => {
    expect(format([wrote('', ...one), wrote('', ...other)])).toBe(token);
  });

  it.each<[string, ScopeMarks, ScopeMarks]>([
    ['other servers of MySQL', wrote('', `${U}:5`), wrote('', `${V}:5`)],
    ['servers of MySQL and MariaDB', wrote('', `${U}:5`), wroteToMariadb('0-1-5')],
    // Domains are numbered anew in each cluster.
    ['servers of MariaDB, one after the other', wroteToMariadb('0-1-5'), wroteToMariadb('0-2-6')],
    ['servers of MariaDB, in two domains', wroteToMariadb('0-1-5'), wroteToMariadb('1-1-5')],
  ])('can not if both wrote to %s', (_what, one, other) => {
    expect(() => format([one, other])).toThrow(refused);
    expect(() => format([other, one])).toThrow(refused);
  });

  it('can of two pools on one server of MySQL that both wrote something of their own', () => {
    expect(format([wrote('', `${U}:5`), wrote('', `${U}:7`)])).toBe(`1~!m${u}.5.7`);
  });

  it('can of two pools on MariaDB that know of the same last write', () => {
    expect(format([wroteToMariadb('0-1-5'), wroteToMariadb('0-1-5')])).toBe('1~!d0-1-5');
  });

  it('can of two pools without GTIDs: the later time counts', () => {
    const [early, late] = [new ScopeMarks(''), new ScopeMarks('')];
    early.written.addUntold(now - 9);
    late.written.addUntold(now - 7);
    expect(format([early, late])).toBe(`1~!t${now - 7}`);
    expect(format([late, early])).toBe(`1~!t${now - 7}`);
  });

  it('passes on the later of two times that no pool has read', () => {
    const time = (at: number): TokenPart => ({ cluster: '', position: { kind: 'time', at } });
    expect(format([], [time(now - 7), time(now - 9)])).toBe(`1~!t${now - 7}`);
    expect(format([], [time(now - 9), time(now - 7)])).toBe(`1~!t${now - 7}`);
  });

  it('can not if one wrote where there are no GTIDs: its servers are others', () => {
    const untold = new ScopeMarks('');
    untold.written.addUntold(now);
    expect(() => format([wrote('', `${U}:5`), untold])).toThrow(refused);
    expect(() => format([untold, wrote('', `${U}:5`)])).toThrow(refused);
  });

  it('has room for 19 clusters', () => {
    const name = (i: number) => `${i}`.padStart(32, 'n');
    const marks = Array.from({ length: 19 }, (_, i) => wrote(name(i), `${U}:1`));
    expect((format(marks) ?? '').length).toBeLessThanOrEqual(longestToken);
    expect(readToken(format(marks) ?? '', 'error')).toHaveLength(19);
    expect(() => format([...marks, wrote(name(19), `${U}:1`)])).toThrow(refused);
    expect(() => format(marks, [part(`${U}:1`, name(19))])).toThrow(refused);
  });
});

describe('a token that is read', () => {
  it('says what was written', () => {
    expect(readToken(`1~a!m${u}.5~b!t7`, 'error')).toEqual([
      part(`${U}:5`, 'a'),
      { cluster: 'b', position: { kind: 'time', at: 7 } },
    ]);
  });

  it.each<OnBadToken>(['error', 'ignore'])('says nothing if there is none: %s', (onBadToken) => {
    expect(readToken(undefined, onBadToken)).toEqual([]);
  });

  it('says nothing if it is empty', () => {
    expect(readToken('1', 'error')).toEqual([]);
  });

  const twenty = `1${Array.from({ length: 20 }, (_, i) => `~${i}!t1`).join('')}`;
  it.each([
    '',
    'x',
    '2',
    '1~',
    `1~!m${U}:5`,
    `1~!m${u}.05`,
    `${'1~!t1'.padEnd(1_001, '0')}`,
    twenty,
  ])('is refused, or ignored: %s', (token) => {
    expect(() => readToken(token, 'error')).toThrow(refused);
    expect(readToken(token, 'ignore')).toEqual([]);
  });
});
