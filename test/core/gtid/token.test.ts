import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compact,
  contains,
  formatGtidSet,
  type GtidDialect,
  type GtidSet,
  parseGtidSet,
} from '../../../packages/core/src/gtid/set.ts';
import {
  formatToken,
  longestToken,
  parseToken,
  type TokenPart,
} from '../../../packages/core/src/gtid/token.ts';
import { mariadbSet, mutated, mysqlSet } from './arbitrary.ts';

const U = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const V = '0b11fa47-71ca-11e1-9e33-c80aa9429562';
const u = U.replaceAll('-', '');
const v = V.replaceAll('-', '');
const now = 1_790_000_000_000;

function gtids(text: string, dialect: GtidDialect = 'mysql', cluster = ''): TokenPart {
  const set = parseGtidSet(text, dialect);
  if (set === null) throw new Error(`not read as a set: ${text}`);
  return { cluster, position: { kind: 'gtids', set } };
}

function time(at: number, cluster = ''): TokenPart {
  return { cluster, position: { kind: 'time', at } };
}

function read(token: string): readonly TokenPart[] {
  const parts = parseToken(token);
  if (parts === null) throw new Error(`not read as a token: ${token}`);
  return parts;
}

/** The only set, or `null` if it is a time. */
function setOf(token: string): GtidSet | null {
  const position = read(token)[0]?.position;
  return position?.kind === 'gtids' ? position.set : null;
}

/** `1:4:7:…`, every gap of the same size. */
function every(step: number, count: number, from = 1): string {
  return Array.from({ length: count }, (_, i) => `:${from + i * step}`).join('');
}

/** Distinct uuids. */
function servers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => i.toString(16).padStart(8, '0') + U.slice(8));
}

const longName = (index: number): string => `${'x'.repeat(29)}${100 + index}`;

describe('a token', () => {
  const rows: readonly [readonly TokenPart[], string, string][] = [
    [[], '1', 'nothing'],
    [[time(now)], '1~!t1790000000000', 'a time'],
    [[time(0, 'a')], '1~a!t0', 'the first time'],
    [[time(8.64e15)], '1~!t8640000000000000', 'the last time'],
    [[time(17.2)], '1~!t18', 'a part of a millisecond: not before the write'],
    [[gtids('')], '1~!m', 'an empty set'],
    [[gtids('', 'mariadb')], '1~!d', 'an empty set of MariaDB'],
    [[gtids(`${U}:5`)], `1~!m${u}.5`, 'one GTID'],
    [[gtids(`${U}:1-3:5,${V}:9`)], `1~!m${v}.9!${u}.1-3.5`, 'two servers'],
    [[gtids(`${U}:1:b_1:2-3:5:a:5`)], `1~!m${u}.1.a.5.b_1.2-3.5`, 'tags'],
    [[gtids('0-1-5', 'mariadb')], '1~!d0-1-5', 'one domain'],
    [[gtids('7-1-5,0-2-9', 'mariadb')], '1~!d0-2-9!7-1-5', 'two domains'],
    [
      [gtids(`${U}:5`, 'mysql', 'm'), time(now, '1-_'), gtids('0-1-5', 'mariadb', 'Z')],
      `1~m!m${u}.5~1-_!t${now}~Z!d0-1-5`,
      'several clusters, in their order',
    ],
  ];
  for (const [parts, token, why] of rows) {
    it(`of ${why}: ${token}`, () => {
      expect(formatToken(parts, now)).toBe(token);
      const again = read(token);
      expect(formatToken(again, 0)).toBe(token);
      expect(again.map(({ cluster }) => cluster)).toEqual(parts.map(({ cluster }) => cluster));
      if (!token.endsWith('t18')) expect(again).toEqual(parts);
    });
  }

  const bad: readonly [unknown, string][] = [
    [undefined, 'no token'],
    [null, 'no token'],
    [1, 'a number'],
    [['1'], 'a list'],
    [{ toString: () => '1' }, 'an object'],
    [new String('1'), 'a string object'],
    ['', 'an empty text'],
    ['2', 'another version'],
    ['2~!t5', 'another version'],
    ['10~!t5', 'version 10'],
    ['01~!t5', 'a leading zero of the version'],
    ['1~', 'no part behind the separator'],
    ['~!t5', 'no version'],
    ['1~!t5~', 'a separator at the end'],
    ['1~~!t5', 'two separators'],
    ['1!t5', 'no separator'],
    ['1~t5', 'no cluster'],
    ['1~a', 'a cluster only'],
    ['1~a!', 'no position'],
    ['1~!x5', 'a position of another kind'],
    ['1~!T5', 'a letter in upper case'],
    ['1~a.b!t5', 'a cluster with a point'],
    ['1~a b!t5', 'a cluster with a space'],
    ['1~\u00e9!t5', 'a cluster with a letter beyond ASCII'],
    ['1~a\n!t5', 'a cluster with a line break'],
    [`1~${'a'.repeat(33)}!t5`, 'a cluster of 33 characters'],
    ['1~a!t5~a!t6', 'one cluster twice'],
    ['1~!t5~!d0-1-5', 'the unnamed cluster twice'],
    ['1~!t', 'no time'],
    ['1~!t05', 'a time with a leading zero'],
    ['1~!t-5', 'a negative time'],
    ['1~!t-0', 'a negative zero'],
    ['1~!t1e3', 'an exponent'],
    ['1~!t0x5', 'a hexadecimal time'],
    ['1~!t1.5', 'a part of a millisecond'],
    ['1~!tInfinity', 'an endless time'],
    ['1~!tNaN', 'no number'],
    ['1~!t8640000000000001', 'a time that no date can be'],
    ['1~!t5!t6', 'two times'],
    [`1~!m${U}.5`, 'a uuid with dashes'],
    [`1~!m${u.toUpperCase()}.5`, 'a uuid in upper case'],
    [`1~!m{${U}}.5`, 'braces'],
    [`1~!m${u}`, 'a uuid without numbers'],
    [`1~!m${u}.`, 'a point and no number'],
    [`1~!m${u}.0`, 'number zero'],
    [`1~!m${u}.05`, 'a leading zero'],
    [`1~!m${u}.5-3`, 'a reversed interval'],
    [`1~!m${u}.5-3.7`, 'a reversed interval, which MySQL would ignore'],
    [`1~!m${u}.5-5`, 'an interval of one'],
    [`1~!m${u}.5.3`, 'intervals in another order'],
    [`1~!m${u}.3.4`, 'intervals that touch'],
    [`1~!m${u}.3-5.4-8`, 'intervals that overlap'],
    [`1~!m${u}.9223372036854775807`, 'a number too great'],
    [`1~!m${u}.1-9223372036854775807`, 'an end too great'],
    [`1~!m${u}.${'9'.repeat(100)}`, 'a number much too great'],
    [`1~!m${u}:5`, 'a colon'],
    [`1~!m${u}.5,${v}.5`, 'a comma'],
    [`1~!m${u}.5!${v}.5`, 'servers in another order'],
    [`1~!m${u}.5!${u}.7`, 'a server twice'],
    [`1~!m${u}.5!`, 'a separator and no server'],
    [`1~!m!${u}.5`, 'a separator before the first server'],
    [`1~!m${u}.Tag.5`, 'a tag in upper case'],
    [`1~!m${u}.b.5.a.5`, 'tags in another order'],
    [`1~!m${u}.a.5.3`, 'intervals of a tag in another order'],
    [`1~!m${u}.a`, 'a tag without numbers'],
    [`1~!m${u}.${'a'.repeat(33)}.5`, 'a tag of 33 characters'],
    [`1~!m${u}.5 `, 'a space at the end'],
    [`1~!m ${u}.5`, 'a space at the start'],
    [`1~!m${u}.5') OR SLEEP(5)#`, 'SQL'],
    [`1~!d${u}.5`, 'the GTID of MySQL as one of MariaDB'],
    ['1~!m0-1-5', 'the GTID of MariaDB as one of MySQL'],
    ['1~!d0-1', 'two numbers'],
    ['1~!d0-1-0', 'number zero'],
    ['1~!d0-1-05', 'a leading zero'],
    ['1~!d+0-1-5', 'a sign'],
    ['1~!d0-1-5!0-2-7', 'a domain twice'],
    ['1~!d1-1-5!0-1-5', 'domains in another order'],
    ['1~!d0-1-5!', 'a separator at the end'],
    ['1~!d0-1-5.1-1-5', 'another separator'],
    ['1~!d4294967296-1-5', 'a domain too great'],
    ['1~!d0-1-18446744073709551616', 'a sequence number too great'],
    ['1~!t5\n', 'a line break at the end'],
    ['1~!t5\0', 'a null character'],
    [' 1~!t5', 'a space before it'],
    ['1%7E!t5', 'an escape'],
  ];
  for (const [given, why] of bad) {
    it(`is not ${why}: ${JSON.stringify(given)?.slice(0, 70)}`, () => {
      expect(parseToken(given)).toBeNull();
    });
  }

  it('is not a text longer than the longest', () => {
    const ofLength = (length: number) => {
      const position = `!m${u}${every(2, 248)}`.replaceAll(':', '.');
      return `1~${'c'.repeat(length - 2 - position.length)}${position}`;
    };
    expect(parseToken(ofLength(longestToken))).not.toBeNull();
    expect(parseToken(ofLength(longestToken + 1))).toBeNull();
    expect(parseToken(`1~!t${'9'.repeat(1_000_000)}`)).toBeNull();
    expect(parseToken('1~'.repeat(500_000))).toBeNull();
  });

  const wrong: readonly [readonly TokenPart[], number, string][] = [
    [[time(1, 'a b')], now, 'a name with a space'],
    [[time(1, 'a!t1~')], now, 'a name with separators'],
    [[time(1, 'x'.repeat(33))], now, 'a name of 33 characters'],
    [[time(1, 'a'), gtids(`${U}:1`, 'mysql', 'a')], now, 'a cluster twice'],
    [[time(-1)], now, 'a negative time'],
    [[time(Number.NaN)], now, 'no time'],
    [[time(Number.POSITIVE_INFINITY)], now, 'an endless time'],
    [[time(8.64e15 + 1)], now, 'a time that no date can be'],
    [[gtids(`${servers(40).join(':1,')}:1`)], Number.NaN, 'now is no time, and needed'],
  ];
  for (const [parts, at, why] of wrong) {
    it(`is not made of ${why}`, () => {
      expect(() => formatToken(parts, at)).toThrow(TypeError);
    });
  }
});

describe('a token that would be too long', () => {
  it('has as many intervals as there is room for', () => {
    const { position } = gtids(U + every(3, 600));
    if (position.kind !== 'gtids') throw new Error('no set');
    let longest = 0;
    for (let length = 0; length <= 32; length++) {
      const cluster = 'c'.repeat(length);
      const token = formatToken([{ cluster, position }], now);
      const set = setOf(token);
      if (set === null) throw new Error('no set');
      expect(contains(set, position.set)).toBe(true);
      const most = formatGtidSet(set).split(':').length - 1;
      const oneMore = formatGtidSet(compact(position.set, most + 1)).replace(U, u);
      expect(`1~${cluster}!m${oneMore}`.length).toBeGreaterThan(longestToken);
      longest = Math.max(longest, token.length);
    }
    expect(longest).toBe(longestToken);
  });

  it('is exact as long as it is not', () => {
    let longest = 0;
    // Names of all lengths, so that one of the tokens is exactly as long as it may be.
    for (let count = 200; count < 280; count++) {
      const part = gtids(U + every(2, count), 'mysql', 'c'.repeat(count % 32));
      const exact = `1~${part.cluster}!m${u}${every(2, count).replaceAll(':', '.')}`;
      const token = formatToken([part], now);
      if (exact.length <= longestToken) expect(token).toBe(exact);
      else expect(token).not.toBe(exact);
      longest = Math.max(longest, token.length);
    }
    expect(longest).toBe(longestToken);
  });

  it('keeps at least one interval of each server, if there is room for those', () => {
    const given = gtids(
      servers(25)
        .map((id) => id + every(2, 90))
        .join(','),
    );
    const set = setOf(formatToken([given], now));
    if (given.position.kind !== 'gtids' || set === null) throw new Error('no set');
    expect(contains(set, given.position.set)).toBe(true);
    expect(formatGtidSet(compact(set, 1))).toBe(
      servers(25)
        .map((id) => `${id}:1-179`)
        .join(','),
    );
  });

  it('asks for the time where one interval each is too much', () => {
    const sets = [
      gtids(
        servers(29)
          .map((id) => `${id}:1`)
          .join(','),
      ),
      gtids(Array.from({ length: 200 }, (_, i) => `${i}-1-1`).join(','), 'mariadb'),
      gtids(U + Array.from({ length: 40 }, (_, i) => `:${'t'.repeat(30)}${10 + i}:1`).join('')),
    ];
    for (const part of sets) expect(formatToken([part], now)).toBe(`1~!t${now}`);
  });

  it('asks for the time for the sets only that take the most room with one interval each', () => {
    const big = (count: number, cluster: string) => {
      const text = servers(count).map((id) => `${id}:1`);
      return gtids(text.join(','), 'mysql', cluster);
    };
    const long = gtids(U + every(2, 300), 'mysql', 'long');
    const parts = [big(10, 'a'), big(20, 'b'), long, big(19, 'c'), time(5, 'd')];
    const token = read(formatToken(parts, now));
    const shorter = token[2] ?? time(0);
    expect(token).toEqual([big(10, 'a'), time(now, 'b'), shorter, time(now, 'c'), time(5, 'd')]);
    expect(shorter.position.kind).toBe('gtids');
    expect(formatToken([shorter], now).length).toBeGreaterThan(500);
  });

  it('has room for 19 clusters, whatever they are called and where they are', () => {
    const sets = Array.from({ length: 19 }, (_, i) =>
      gtids(
        servers(20)
          .map((id) => id + every(2, 9))
          .join(','),
        'mysql',
        longName(i),
      ),
    );
    const expected = sets.map(({ cluster }) => time(8.64e15, cluster));
    expect(read(formatToken(sets, 8.64e15))).toEqual(expected);
    expect(read(formatToken(expected, now))).toEqual(expected);
  });

  it('is none, for too many clusters', () => {
    const many = Array.from({ length: 22 }, (_, i) => time(now, longName(i)));
    expect(() => formatToken(many, now)).toThrow(RangeError);
    const sets = many.map(({ cluster }) => gtids(`${U}:1`, 'mysql', cluster));
    expect(() => formatToken(sets, now)).toThrow(RangeError);
  });
});

describe('any token', () => {
  const name = fc.string({ unit: fc.constantFrom(...'aZ0_-mdt'), maxLength: 32 });
  const position = fc.oneof(
    mysqlSet.map(({ text }) => gtids(text).position),
    mariadbSet.map(({ text }) => gtids(text, 'mariadb').position),
    fc.integer({ min: 0, max: now }).map((at) => time(at).position),
  );
  const parts = fc.uniqueArray(fc.record({ cluster: name, position }), {
    selector: ({ cluster }) => cluster,
    maxLength: 6,
  });
  const alphabet = /^1[A-Za-z0-9._~!-]*$/;

  /** Whether a read that has what `given` says has what `asked` says too. */
  function isEnough(given: TokenPart | undefined, asked: TokenPart): boolean {
    if (given === undefined || given.cluster !== asked.cluster) return false;
    const [mine, theirs] = [given.position, asked.position];
    if (theirs.kind === 'time') return mine.kind === 'time' && mine.at >= theirs.at;
    return mine.kind === 'time' ? mine.at === now : contains(mine.set, theirs.set);
  }

  it('is short, of safe characters, is read as what it was made of, and made again', () => {
    let exact = 0;
    fc.assert(
      fc.property(parts, (given) => {
        const token = formatToken(given, now);
        expect(token.length).toBeLessThanOrEqual(longestToken);
        expect(token).toMatch(alphabet);
        expect(encodeURIComponent(token)).toBe(token);
        const again = read(token);
        expect(formatToken(again, 0)).toBe(token);
        expect(again).toHaveLength(given.length);
        for (const [i, part] of given.entries()) expect(isEnough(again[i], part)).toBe(true);
        if (JSON.stringify(again, plain) === JSON.stringify(given, plain)) exact++;
      }),
      { numRuns: 500 },
    );
    expect(exact).toBeGreaterThan(200);
    expect(exact).toBeLessThan(500);
  });

  it('that is read is one that would be made, and has nothing but GTIDs for the server', () => {
    const valid = parts.map((given) => formatToken(given, now));
    const text = fc.oneof(
      mutated(valid, '0123456789abcdefmdtzZ__....----~~!! ,:;\'"\\{}\n\0\u00e9\u212a'),
      mutated(fc.constantFrom('1~!t5', '1~a!d0-1-5', `1~!m${u}.1-5.t.3`), '0159adt.-!~'),
      fc.string({ unit: fc.constantFrom(...'1~!mdt.-_a0'), maxLength: 50 }),
      fc.string({ unit: 'binary', maxLength: 1100 }),
    );
    let good = 0;
    fc.assert(
      fc.property(text, (given) => {
        const again = parseToken(given);
        if (again === null) return;
        good++;
        expect(given).toMatch(alphabet);
        expect(formatToken(again, 0)).toBe(given);
        for (const part of again) {
          if (part.position.kind === 'time') expect(part.position.at).toBeGreaterThanOrEqual(0);
          else expect(formatGtidSet(part.position.set)).toMatch(/^[-0-9a-z_:,]*$/);
        }
      }),
      { numRuns: 3000 },
    );
    expect(good).toBeGreaterThan(100);
  });

  it('or other value is read or refused, never an exception', () => {
    fc.assert(
      fc.property(fc.anything(), (given) => {
        expect(parseToken(given) === null || given === '1').toBe(true);
      }),
    );
  });
});

/** For JSON: sets as their text. */
function plain(key: string, value: unknown): unknown {
  return key === 'set' ? formatGtidSet(value as GtidSet) : value;
}
