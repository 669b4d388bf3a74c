import fc from 'fast-check';

/** A set as a text that its server accepts, and what is in it: each GTID as `origin#number`. */
export interface WrittenSet {
  readonly text: string;
  readonly members: ReadonlySet<string>;
}

export const uuids = [
  '3e11fa47-71ca-11e1-9e33-c80aa9429562',
  '0b11fa47-71ca-11e1-9e33-c80aa9429562',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
] as const;
const tags = ['a', '_a', 'a_', 'a1', 'aa', `t${'9'.repeat(31)}`];

const space = fc.stringMatching(/^[ \n\t\r\v\f]{0,2}$/);
const newline = fc.constantFrom('', '\n', ' ');

/** `base` brings the numbers to where doubles, and signed numbers of 64 bits, end. */
const range = fc
  .record({
    base: fc.constantFrom(0n, 0n, 0n, 2n ** 53n - 10n, 2n ** 63n - 2n - 24n),
    first: fc.bigInt(1n, 20n),
    length: fc.bigInt(0n, 4n),
    spelling: fc.constantFrom('', '00'),
  })
  .map(({ base, first, length, spelling }) => ({
    spelling,
    first: base + first,
    last: base + first + length,
  }));

function spell([hex, spelling]: readonly [string, string]): string {
  if (spelling === 'bare') return hex.replaceAll('-', '');
  if (spelling === 'braces') return `{${hex}}`;
  return spelling === 'upper' ? hex.toUpperCase() : hex;
}

const tag = fc.tuple(fc.constantFrom(...tags), fc.boolean());

function memberNames(origin: string, { first, last }: { first: bigint; last: bigint }): string[] {
  return Array.from(
    { length: Number(last - first) + 1 },
    (_, i) => `${origin}#${first + BigInt(i)}`,
  );
}

/** One uuid with what follows it, in any of the spellings that MySQL reads. */
const server = fc
  .record({
    uuid: fc.constantFrom(...uuids),
    spelling: fc.constantFrom('plain', 'plain', 'upper', 'bare', 'braces'),
    groups: fc.array(fc.tuple(fc.option(tag), fc.array(range, { minLength: 1, maxLength: 4 })), {
      minLength: 1,
      maxLength: 3,
    }),
    colon: space.map((text) => `${text}:${text}`),
  })
  .map(({ uuid, spelling, groups, colon }) => {
    const members: string[] = [];
    let text = spell([uuid, spelling]);
    let origin: string = uuid;
    for (const [name, ranges] of groups) {
      if (name !== null) {
        text += colon + (name[1] ? name[0].toUpperCase() : name[0]);
        origin = `${uuid}:${name[0]}`;
      }
      for (const { first, last, spelling: zeros } of ranges) {
        const isOne = first === last && zeros === '';
        text += colon + zeros + (isOne ? `${first}` : `${first}-${zeros}${last}`);
        members.push(...memberNames(origin, { first, last }));
      }
    }
    return { text, members };
  });

/** Sets of MySQL: several uuids, tags, overlapping intervals in any order. */
export const mysqlSet: fc.Arbitrary<WrittenSet> = fc
  .tuple(
    fc.array(server, { maxLength: 4 }),
    fc.constantFrom(',', ', ', ',\n', ' ,,'),
    fc.constantFrom('', ',', ' '),
  )
  .map(([servers, comma, end]) => ({
    text: end + servers.map(({ text }) => text).join(comma) + end,
    members: new Set(servers.flatMap(({ members }) => members)),
  }));

const gtid = fc.tuple(
  fc.constantFrom(0, 1, 7, 2 ** 32 - 1),
  fc.constantFrom(0, 1, 2, 2 ** 32 - 1),
  fc.integer({ min: 0, max: 12 }),
);

/** Positions of MariaDB: each domain at most once, as in `gtid_slave_pos`. */
export const mariadbSet: fc.Arbitrary<WrittenSet> = fc
  .tuple(fc.uniqueArray(gtid, { selector: ([domain]) => domain, maxLength: 4 }), newline)
  .map(([gtids, behindComma]) => ({
    text: gtids.map((numbers) => numbers.join('-')).join(`,${behindComma}`),
    members: new Set(
      gtids.flatMap(([domain, , sequence]) =>
        Array.from({ length: sequence }, (_, i) => `${domain}#${i + 1}`),
      ),
    ),
  }));

/** What is in the text that `formatGtidSet` gives, read in the simplest way. */
export function membersOf(text: string): Set<string> {
  const members = new Set<string>();
  if (text === '') return members;
  for (const part of text.split(',')) {
    const [id = '', ...items] = part.split(':');
    if (items.length === 0) {
      const [domain, , sequence] = part.split('-');
      for (let n = 1n; n <= BigInt(sequence ?? ''); n++) members.add(`${domain}#${n}`);
    }
    let origin = id;
    for (const item of items) {
      if (/^[a-z_]/.test(item)) origin = `${id}:${item}`;
      else {
        const [first = '', last = first] = item.split('-');
        for (const name of memberNames(origin, { first: BigInt(first), last: BigInt(last) })) {
          members.add(name);
        }
      }
    }
  }
  return members;
}

/** A text with some of its characters gone, doubled, or replaced by others. */
export function mutated(texts: fc.Arbitrary<string>, characters: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(),
    removed: fc.constantFrom(0, 0, 1, 1, 4),
    added: fc.string({ unit: fc.constantFrom(...characters), maxLength: 2 }),
  });
  return fc.tuple(texts, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((result, { at, removed, added }) => {
      const start = at % (result.length + 1);
      return result.slice(0, start) + added + result.slice(start + removed);
    }, text),
  );
}
