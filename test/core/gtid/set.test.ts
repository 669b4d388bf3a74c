import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compact,
  contains,
  emptySet,
  formatGtidSet,
  type GtidDialect,
  type GtidSet,
  isEmptySet,
  longestSetText,
  parseGtidSet,
  union,
} from '../../../packages/core/src/gtid/set.ts';
import { mariadbSet, membersOf, mysqlSet, type WrittenSet } from './arbitrary.ts';

const U = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const V = '0b11fa47-71ca-11e1-9e33-c80aa9429562';
const greatest = 2n ** 63n - 2n;
const longestTag = 'a'.repeat(32);

function read(text: string, dialect: GtidDialect): GtidSet {
  const set = parseGtidSet(text, dialect);
  if (set === null) throw new Error(`not read as a set: ${text}`);
  return set;
}

const mysql = (text: string): GtidSet => read(text, 'mysql');
const mariadb = (text: string): GtidSet => read(text, 'mariadb');

describe('the text of a set', () => {
  const good: readonly [GtidDialect, string, string, string][] = [
    ['mysql', '', '', 'nothing executed'],
    ['mysql', ' \n', '', 'white space only'],
    ['mysql', ', ,', '', 'commas only'],
    ['mysql', `${U}:1`, `${U}:1`, 'one GTID, as an OK packet has it'],
    ['mysql', `${U}:1-5:7-9:11`, `${U}:1-5:7-9:11`, 'intervals'],
    ['mysql', `${U}:3:1-2`, `${U}:1-3`, 'intervals that touch, in another order'],
    ['mysql', `${U}:2-9:1-3:5`, `${U}:1-9`, 'intervals that overlap, and one inside of another'],
    ['mysql', `${U}:1-3,\n${V}:2`, `${V}:2,${U}:1-3`, 'two uuids, sorted'],
    ['mysql', `,${U}:1 ,,\r\n\t${U}:3,`, `${U}:1:3`, 'one uuid twice, doubled commas'],
    ['mysql', `${U.toUpperCase()}:1`, `${U}:1`, 'upper case'],
    ['mysql', `${U.replaceAll('-', '')}:1`, `${U}:1`, 'no dashes'],
    ['mysql', `{${U}}:1`, `${U}:1`, 'braces'],
    ['mysql', ` ${U} : 1 - 3 : 5 `, `${U}:1-3:5`, 'spaces everywhere'],
    ['mysql', `${U}:00${'0'.repeat(40)}1-05`, `${U}:1-5`, 'leading zeros'],
    ['mysql', `${U}:${greatest}`, `${U}:${greatest}`, 'the greatest number'],
    ['mysql', `${U}:tag:1-5:zag:3`, `${U}:tag:1-5:zag:3`, 'tags'],
    ['mysql', `${U}:1-3:TAG:1:tag:2`, `${U}:1-3:tag:1-2`, 'one tag in two spellings'],
    ['mysql', `${U}:b:1,${U}:4:_:2:a:9`, `${U}:4:_:2:a:9:b:1`, 'tags in order, untagged first'],
    ['mysql', `${U}:${longestTag}:1`, `${U}:${longestTag}:1`, 'a tag of 32 characters'],
    ['mysql', `${U}:5-3:7`, `${U}:7`, 'the server ignores a reversed interval'],
    ['mysql', `${U}:5-0`, '', 'a reversed interval and nothing else'],
    ['mysql', `${U},${V}:tag`, '', 'a uuid, a tag without numbers'],
    ['mysql', `${U}:tag:zag:1:b`, `${U}:zag:1`, 'tags without numbers'],
    ['mariadb', '', '', 'nothing executed'],
    ['mariadb', '0-1-5', '0-1-5', 'one domain'],
    ['mariadb', '7-1-5,0-2-9', '0-2-9,7-1-5', 'two domains, sorted'],
    ['mariadb', '10-1-1,9-1-1', '9-1-1,10-1-1', 'domains are numbers'],
    ['mariadb', '0-1-5,\n 1-1-7', '0-1-5,1-1-7', 'white space after a comma'],
    ['mariadb', '0-1-5,0-2-7,0-3-6', '0-2-7', 'gtid_binlog_state: several of one domain'],
    ['mariadb', '0-1-7,0-2-7', '0-1-7', 'the same number twice'],
    ['mariadb', '0-1-0,1-1-1', '1-1-1', 'no transaction has number 0'],
    ['mariadb', ' +00- 01-+05', '0-1-5', 'zeros, signs, white space before numbers'],
    [
      'mariadb',
      '4294967295-4294967295-18446744073709551615',
      '4294967295-4294967295-18446744073709551615',
      'the greatest numbers',
    ],
  ];
  for (const [dialect, text, canonical, why] of good) {
    it(`${dialect}: ${why}: ${JSON.stringify(text).slice(0, 90)}`, () => {
      const set = read(text, dialect);
      expect(formatGtidSet(set)).toBe(canonical);
      expect(isEmptySet(set)).toBe(canonical === '');
      expect(set.dialect).toBe(dialect);
      expect(formatGtidSet(read(canonical, dialect))).toBe(canonical);
    });
  }

  const bad: readonly [GtidDialect, string, string][] = [
    ['mysql', 'x', 'no uuid'],
    ['mysql', `${U}:0`, 'numbers begin at 1'],
    ['mysql', `${U}:0-3`, 'an interval from 0'],
    ['mysql', `${U}:tag:0`, 'number 0 of a tag'],
    ['mysql', `${U}:${greatest + 1n}`, 'a number too great'],
    ['mysql', `${U}:1-${greatest + 1n}`, 'an end too great'],
    ['mysql', `${U}:${'9'.repeat(400)}`, 'a number of 400 digits'],
    ['mysql', `${U}:`, 'a colon and nothing'],
    ['mysql', `${U}:1:`, 'a colon and nothing behind a number'],
    ['mysql', `${U}:1:,${V}:1`, 'a colon and nothing before a comma'],
    ['mysql', `${U}::1`, 'two colons'],
    ['mysql', `${U}:1-`, 'an interval without end'],
    ['mysql', `${U}:-1`, 'an interval without start'],
    ['mysql', `${U}:1-2-3`, 'two dashes'],
    ['mysql', `${U}:+1`, 'a sign'],
    ['mysql', `${U}:1 ${V}:1`, 'no comma'],
    ['mysql', `${U}:1;`, 'a semicolon'],
    ['mysql', `${U}:1' OR 1`, 'a quote'],
    ['mysql', `${U}:1\0`, 'a null character'],
    ['mysql', `${U}:1\u00a0`, 'white space that is none to the server'],
    ['mysql', `${U}:1t:1`, 'a tag that begins with a digit'],
    ['mysql', `${U}:a-b:1`, 'a dash in a tag'],
    ['mysql', `${U}:${longestTag}a:1`, 'a tag of 33 characters'],
    ['mysql', `${U}:\u212a:1`, 'a tag of a letter that is only lower-cased to ASCII: K (Kelvin)'],
    ['mysql', `${U.slice(0, -1)}:1`, 'a uuid with a digit too few'],
    ['mysql', `${U}0:1`, 'a uuid with a digit too many'],
    ['mysql', `${U.replace('-', '')}:1`, 'a uuid with a dash too few'],
    ['mysql', `${U.replace('e', 'g')}:1`, 'a uuid with a letter that is no digit'],
    ['mysql', `{${U}:1`, 'an open brace'],
    ['mysql', `{${U.replaceAll('-', '')}}:1`, 'braces without dashes'],
    ['mysql', '0-1-5', 'a GTID of MariaDB'],
    ['mysql', 'AUTOMATIC', 'a word'],
    ['mariadb', ' ', 'white space only'],
    ['mariadb', ',', 'a comma only'],
    ['mariadb', '0-1-5,', 'a comma at the end'],
    ['mariadb', ',0-1-5', 'a comma at the start'],
    ['mariadb', '0-1-5,,1-1-5', 'two commas'],
    ['mariadb', '0-1-5 ', 'white space at the end'],
    ['mariadb', '0-1-5 ,1-1-5', 'white space before a comma'],
    ['mariadb', '0 -1-5', 'white space before a dash'],
    ['mariadb', '0-+ 1-5', 'white space behind a sign'],
    ['mariadb', '0-1', 'two numbers'],
    ['mariadb', '0-1-', 'an empty number'],
    ['mariadb', '0-1-5-6', 'four numbers'],
    ['mariadb', '0-1-5x', 'a letter'],
    ['mariadb', '0--1-5', 'a negative number'],
    ['mariadb', '-1-1-1', 'a negative domain'],
    ['mariadb', '4294967296-1-1', 'a domain too great'],
    ['mariadb', '0-4294967296-1', 'a server too great'],
    ['mariadb', '0-1-18446744073709551616', 'a sequence number too great'],
    ['mariadb', `${U}:1`, 'a GTID of MySQL'],
  ];
  for (const [dialect, text, why] of bad) {
    it(`${dialect}: refuses ${why}: ${JSON.stringify(text).slice(0, 90)}`, () => {
      expect(parseGtidSet(text, dialect)).toBeNull();
    });
  }

  it('is refused when it is too long', () => {
    const text = `${U}:1`;
    expect(parseGtidSet(text + ' '.repeat(longestSetText - text.length), 'mysql')).not.toBeNull();
    expect(parseGtidSet(text + ' '.repeat(longestSetText - text.length + 1), 'mysql')).toBeNull();
    expect(parseGtidSet(`0-1-${'0'.repeat(longestSetText)}`, 'mariadb')).toBeNull();
  });

  it('is never anything but read or refused', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'-09af:, {}') }),
    );
    fc.assert(
      fc.property(text, fc.constantFrom<GtidDialect>('mysql', 'mariadb'), (given, dialect) => {
        const set = parseGtidSet(given, dialect);
        if (set !== null) expect(formatGtidSet(set)).toMatch(/^[-0-9a-z_:,]*$/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a long text', () => {
  const numbers = (count: number, step: number) =>
    Array.from({ length: count }, (_, i) => `:${i * step + 1}`);
  const long: readonly [GtidDialect, string, string][] = [
    ['mysql', U + numbers(100_000, 2).join(''), 'a hundred thousand intervals'],
    ['mysql', U + numbers(100_000, 2).reverse().join(''), 'the same, the last one first'],
    ['mysql', `${U}:1${' '.repeat(1_000_000)}x`, 'white space, no end'],
    ['mysql', `${U}:1${' ,'.repeat(500_000)}x`, 'commas'],
    ['mysql', `${U}:${'0'.repeat(1_000_000)}x`, 'zeros, no number'],
    ['mysql', `${U}:${'9'.repeat(1_000_000)}`, 'a number without end'],
    ['mysql', `${U}:${'a'.repeat(1_000_000)}:1`, 'a tag without end'],
    ['mysql', U + ':a'.repeat(500_000), 'tags'],
    ['mysql', `${U},`.repeat(28_000), 'uuids'],
    ['mariadb', `${' '.repeat(1_000_000)}x`, 'white space, no number'],
    ['mariadb', '0-1-1,'.repeat(170_000), 'one domain over and over'],
  ];
  for (const [dialect, text, why] of long) {
    it(`takes no more than linear time: ${dialect}: ${why}`, () => {
      const set = parseGtidSet(text, dialect);
      expect(set === null || formatGtidSet(set).length <= text.length).toBe(true);
    });
  }
});

describe('a set', () => {
  const kinds: readonly [GtidDialect, fc.Arbitrary<WrittenSet>][] = [
    ['mysql', mysqlSet],
    ['mariadb', mariadbSet],
  ];
  const isSubset = (subset: ReadonlySet<string>, set: ReadonlySet<string>) =>
    [...subset].every((member) => set.has(member));

  for (const [dialect, written] of kinds) {
    const given = written.map(({ text, members }) => ({ set: read(text, dialect), members }));
    const check = (law: (one: Given, other: Given, third: Given) => void, numRuns = 500) =>
      fc.assert(fc.property(given, given, given, law), { numRuns });

    describe(`of ${dialect}`, () => {
      it('has what its text says, and its own text says the same', () => {
        check(({ set, members }) => {
          const text = formatGtidSet(set);
          expect(membersOf(text)).toEqual(members);
          expect(isEmptySet(set)).toBe(members.size === 0);
          expect(read(text, dialect)).toEqual(set);
          expect(formatGtidSet(read(text, dialect))).toBe(text);
        });
      });

      it('contains what a set of numbers contains', () => {
        let contained = 0;
        check((one, other) => {
          const expected = isSubset(other.members, one.members);
          expect(contains(one.set, other.set)).toBe(expected);
          expect(contains(union(one.set, other.set), other.set)).toBe(true);
          if (expected) contained++;
        });
        // Else this shows nothing.
        expect(contained).toBeGreaterThan(20);
      });

      it('is united as sets of numbers are', () => {
        check((one, other, third) => {
          const both = union(one.set, other.set);
          expect(membersOf(formatGtidSet(both))).toEqual(
            new Set([...one.members, ...other.members]),
          );
          expect(contains(both, one.set) && contains(both, other.set)).toBe(true);
          const upper = union(both, third.set);
          const regrouped = union(one.set, union(other.set, third.set));
          expect(membersOf(formatGtidSet(upper))).toEqual(membersOf(formatGtidSet(regrouped)));
        });
      });

      it('is itself when nothing is added, and else not changed', () => {
        check((one, other) => {
          const before = formatGtidSet(one.set);
          const both = union(one.set, other.set);
          expect(both === one.set).toBe(isSubset(other.members, one.members));
          expect(union(both, one.set)).toBe(both);
          expect(union(both, other.set)).toBe(both);
          expect(union(both, emptySet(dialect))).toBe(both);
          expect(formatGtidSet(one.set)).toBe(before);
        });
      });
    });
  }

  it('of one dialect has no union with, and contains nothing of, the other', () => {
    const [one, other] = [mysql(`${U}:1`), mariadb('0-1-5')];
    expect(() => union(one, other)).toThrow(TypeError);
    expect(() => union(other, one)).toThrow(TypeError);
    expect(() => union(one, emptySet('mariadb'))).toThrow(TypeError);
    expect(contains(one, other)).toBe(false);
    expect(contains(other, one)).toBe(false);
    expect(contains(one, emptySet('mariadb'))).toBe(true);
    expect(contains(other, emptySet('mysql'))).toBe(true);
    expect(contains(emptySet('mysql'), emptySet('mariadb'))).toBe(true);
  });

  it('of MySQL contains a uuid only where it has it, whatever the tag', () => {
    expect(contains(mysql(`${U}:1-9`), mysql(`${V}:1`))).toBe(false);
    expect(contains(mysql(`${U}:1-9`), mysql(`${U}:tag:1`))).toBe(false);
    expect(contains(mysql(`${U}:tag:1-9`), mysql(`${U}:1`))).toBe(false);
    expect(contains(mysql(`${U}:1-4:6-9`), mysql(`${U}:4-6`))).toBe(false);
    expect(contains(mysql(`${U}:1-4:6-9`), mysql(`${U}:5`))).toBe(false);
    expect(contains(mysql(`${U}:1-4:6-9`), mysql(`${U}:2-4:9`))).toBe(true);
  });

  it('of MariaDB is a position: whoever is there has all before it, whichever server made it', () => {
    expect(contains(mariadb('0-1-9,1-1-3'), mariadb('0-2-9'))).toBe(true);
    expect(contains(mariadb('0-1-9,1-1-3'), mariadb('0-1-10'))).toBe(false);
    expect(contains(mariadb('0-1-9'), mariadb('1-1-1'))).toBe(false);
    expect(formatGtidSet(union(mariadb('0-1-9,1-1-3'), mariadb('1-2-4,2-5-1,0-3-8')))).toBe(
      '0-1-9,1-2-4,2-5-1',
    );
  });

  it('keeps numbers apart that are one number in doubles', () => {
    expect(contains(mysql(`${U}:1-${greatest - 1n}`), mysql(`${U}:${greatest}`))).toBe(false);
    const [below, top] = ['0-1-18446744073709551614', '0-1-18446744073709551615'];
    expect(contains(mariadb(below), mariadb(top))).toBe(false);
    expect(formatGtidSet(union(mariadb(below), mariadb(top)))).toBe(top);
  });
});

interface Given {
  readonly set: GtidSet;
  readonly members: ReadonlySet<string>;
}

describe('a compact set', () => {
  const rows: readonly [string, number, string, string][] = [
    [`${U}:1-5:7-9`, 2, `${U}:1-5:7-9`, 'few enough'],
    [`${U}:1-5:7-9`, 1, `${U}:1-9`, 'one gap'],
    [`${U}:1:4:6:10`, 3, `${U}:1:4-6:10`, 'the smallest gap first'],
    [`${U}:1:4:6:10`, 2, `${U}:1-6:10`, 'then the next'],
    [`${U}:1:4:6:10`, 1, `${U}:1-10`, 'all'],
    [`${U}:1:3:5`, 2, `${U}:1-3:5`, 'of two of one size, the first'],
    [`${U}:1:9,${V}:1:3`, 3, `${V}:1-3,${U}:1:9`, 'the smallest of all uuids'],
    [`${U}:1:3:tag:2:9`, 3, `${U}:1-3:tag:2:9`, 'the smallest of all tags'],
    [`${U}:1:3:tag:5:9,${V}:2`, 1, `${V}:2,${U}:1-3:tag:5-9`, 'one interval each stays'],
    [`${U}:1:3`, 0, `${U}:1-3`, 'no intervals are not possible'],
    ['', 1, '', 'the empty set'],
    [`${U}:1:${greatest}`, 1, `${U}:1-${greatest}`, 'the largest gap'],
  ];
  for (const [text, most, expected, why] of rows) {
    it(`of at most ${most}: ${why}`, () => {
      expect(formatGtidSet(compact(mysql(text), most))).toBe(expected);
    });
  }

  it('is the set itself if that is small enough', () => {
    const set = mysql(`${U}:1:3:5,${V}:1`);
    expect(compact(set, 4)).toBe(set);
    expect(compact(set, Number.POSITIVE_INFINITY)).toBe(set);
    expect(compact(set, 3)).not.toBe(set);
    const position = mariadb('0-1-5,1-1-5,2-1-5');
    expect(compact(position, 1)).toBe(position);
  });

  it('has what the set has, as few intervals as asked for, and nothing beyond its ends', () => {
    const count = (text: string) => text.match(/(?<=:)[0-9]+/g)?.length ?? 0;
    const range = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(mysqlSet, range, range, ({ text, members }, most, more) => {
        const set = mysql(text);
        const smaller = compact(set, most);
        const origins = new Set([...members].map((member) => member.split('#')[0]));
        expect(contains(smaller, set)).toBe(true);
        expect(count(formatGtidSet(smaller))).toBe(
          Math.max(origins.size, Math.min(most, count(formatGtidSet(set)))),
        );
        expect(contains(compact(set, 0), smaller)).toBe(true);
        // Step by step is the same: tokens are made so.
        expect(compact(compact(set, most + more), most)).toEqual(smaller);
        expect(read(formatGtidSet(smaller), 'mysql')).toEqual(smaller);
      }),
      { numRuns: 500 },
    );
  });
});
