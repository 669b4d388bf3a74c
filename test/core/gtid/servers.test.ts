import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compact,
  contains,
  emptySet,
  formatGtidSet,
  type GtidDialect,
  type GtidSet,
  isEmptySet,
  parseGtidSet,
  union,
} from '../../../packages/core/src/gtid/set.ts';
import type { Server } from '../../support/servers/server.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import { freshDatabase, sharedCluster } from '../../support/shared-cluster.ts';
import { mariadbSet, mutated, mysqlSet, uuids, type WrittenSet } from './arbitrary.ts';

function read(text: string, dialect: GtidDialect): GtidSet {
  const set = parseGtidSet(text, dialect);
  if (set === null) throw new Error(`not read as a set: ${JSON.stringify(text)}`);
  return set;
}

/** What the server says to each expression with its texts: one statement for a hundred of them. */
async function ask(
  server: Server,
  questions: readonly (readonly [expression: string, ...texts: string[]])[],
): Promise<string[]> {
  const answers: string[] = [];
  for (let start = 0; start < questions.length; start += 100) {
    const some = questions.slice(start, start + 100);
    const columns = some.map(([expression], index) => `${expression} AS c${index}`);
    const [row = {}] = await server.query(
      `SELECT ${columns.join(', ')}`,
      some.flatMap(([, ...texts]) => texts),
    );
    for (const index of some.keys()) answers.push(String(row[`c${index}`]));
  }
  return answers;
}

/** MariaDB's "Could not parse GTID list"; mysql2 has no name for it. */
const notParsed = 1941;

/** The server prints one uuid a line. */
const onOneLine = (text: string): string => text.replaceAll('\n', '');

/** The same sets in every run; `FC_SEED` for others. */
function sample<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  const { seed } = fc.readConfigureGlobal();
  return fc.sample(arbitrary, { numRuns: count, ...(seed === undefined ? {} : { seed }) });
}

describe('MySQL itself', async () => {
  const cluster = sharedCluster('mysql');
  const { primary, replicas } = cluster;
  // So that there is a GTID at all.
  await freshDatabase(cluster);
  const pairs = sample(fc.tuple(mysqlSet, mysqlSet), 400).map(([one, other]) => ({
    one: one.text,
    other: other.text,
    a: read(one.text, 'mysql'),
    b: read(other.text, 'mysql'),
  }));
  /** The text that MySQL makes of a set. */
  const normalize = "GTID_SUBTRACT(?, '')";

  it('prints a set as formatGtidSet does, and reads that text', async () => {
    const asWritten = await ask(
      primary,
      pairs.map(({ one }) => [normalize, one]),
    );
    const formatted = pairs.map(({ a }) => formatGtidSet(a));
    expect(asWritten.map(onOneLine)).toEqual(formatted);
    const again = await ask(
      primary,
      formatted.map((text) => [normalize, text]),
    );
    expect(again.map(onOneLine)).toEqual(formatted);
    expect(asWritten.map((text) => formatGtidSet(read(text, 'mysql')))).toEqual(formatted);
  });

  it('finds subsets where contains does', async () => {
    const subset = 'GTID_SUBSET(?, ?)';
    // Of two random sets hardly one is within the other.
    const rows = [
      ...pairs.map(({ a, b }) => ({ set: b, part: a })),
      ...pairs.map(({ a, b }) => ({ set: union(a, b), part: a })),
      ...pairs.map(({ a, b }) => ({ set: a, part: union(a, b) })),
      ...pairs.map(({ a }) => ({ set: a, part: compact(a, 4) })),
      ...pairs.map(({ a }) => ({ set: compact(a, 4), part: a })),
    ];
    const answers = await ask(
      primary,
      rows.map(({ set, part }) => [subset, formatGtidSet(part), formatGtidSet(set)]),
    );
    const expected = rows.map(({ set, part }) => (contains(set, part) ? '1' : '0'));
    expect(answers).toEqual(expected);
    for (const answer of ['0', '1']) {
      expect(expected.filter((each) => each === answer).length).toBeGreaterThan(200);
    }
  });

  it('unites sets as union does', async () => {
    const together = await ask(
      primary,
      pairs.map(({ one, other }) => [normalize, `${one},${other}`]),
    );
    const unions = pairs.map(({ a, b }) => formatGtidSet(union(a, b)));
    expect(together.map(onOneLine)).toEqual(unions);

    const added = await ask(
      primary,
      pairs.map(({ a }, i) => ['GTID_SUBTRACT(?, ?)', unions[i] ?? '', formatGtidSet(a)]),
    );
    const news = await ask(
      primary,
      pairs.map(({ one, other }) => ['GTID_SUBTRACT(?, ?)', other, one]),
    );
    expect(added).toEqual(news);
    // Nothing is added exactly where union gives back its first set.
    expect(added.map((text) => text === '')).toEqual(pairs.map(({ a, b }) => union(a, b) === a));
    for (const [i, { a }] of pairs.entries()) {
      const rest = read(added[i] ?? '', 'mysql');
      expect(formatGtidSet(union(a, rest))).toBe(unions[i]);
    }
  });

  it('reads the texts that parseGtidSet reads, in the same way, and refuses the others', async () => {
    const [U, V] = uuids;
    const wellKnown = fc.constantFrom(
      `${U}:1-3:7,${V}:2`,
      `${U}:1:tag:1-5:zag:3,\n${U}:4`,
      `{${U}}:9223372036854775806`,
      `${U.replaceAll('-', '')}:1-10:12-14`,
    );
    const written = mysqlSet.map(({ text }) => text);
    // Not é and its like: see below.
    const characters = '0123456789abcdefgzT:::---,,  \t\n\r\f\v{}_+.;\'"\\\0';
    const texts = sample(mutated(fc.oneof(wellKnown, written), characters), 1000);
    const isRead = (text: string) => parseGtidSet(text, 'mysql') !== null;

    const good = texts.filter(isRead);
    const answers = await ask(
      primary,
      good.map((text) => [normalize, text]),
    );
    expect(answers.map(onOneLine)).toEqual(good.map((text) => formatGtidSet(read(text, 'mysql'))));
    const bad = texts.filter((text) => !isRead(text));
    expect(Math.min(good.length, bad.length)).toBeGreaterThan(100);
    for (const text of bad) {
      await expect(primary.query(`SELECT ${normalize}`, [text]), text).rejects.toMatchObject({
        code: 'ER_MALFORMED_GTID_SET_SPECIFICATION',
      });
    }
  });

  it('takes a letter beyond ASCII in a tag and breaks its bytes: that is refused here', async () => {
    const text = `${uuids[0]}:ta\u00e9g:1`;
    expect(parseGtidSet(text, 'mysql')).toBeNull();
    const outcome = await ask(primary, [[normalize, text]]).catch(() => ['refused']);
    // Should a version print what it was given, the grammar here has to follow.
    expect(outcome[0]).not.toBe(text);
  });

  it('has what its replicas have', async () => {
    const executed = async (server: Server) =>
      read((await ask(server, [['@@GLOBAL.gtid_executed']]))[0] ?? '', 'mysql');
    for (const replica of replicas) {
      const there = await executed(replica);
      expect(isEmptySet(there)).toBe(false);
      expect(contains(await executed(primary), there)).toBe(true);
    }
  });
});

describe('MariaDB itself', async () => {
  await freshDatabase(sharedCluster('mariadb'));
  // Where the position is set: a server of its own.
  let cluster: OwnedCluster;
  beforeAll(async () => {
    cluster = await startCluster({ flavor: 'mariadb', replicas: 0, statementLog: false });
  });
  afterAll(() => cluster.stop());

  const written: readonly WrittenSet[] = sample(mariadbSet, 120);
  const reaches = 'MASTER_GTID_WAIT(?, 0)';

  async function goTo(text: string): Promise<string> {
    await cluster.primary.query('SET GLOBAL gtid_slave_pos = ?', [text]);
    return (await ask(cluster.primary, [['@@GLOBAL.gtid_slave_pos']]))[0] ?? '';
  }

  it('takes every text of formatGtidSet for the position that it says', async () => {
    const limits = '0-1-1,4294967295-4294967295-18446744073709551615';
    for (const { text } of [...written, { text: limits }]) {
      const set = read(text, 'mariadb');
      const there = read(await goTo(formatGtidSet(set)), 'mariadb');
      expect(there).toEqual(set);
      // And the text that it came from says the same to the server.
      expect(read(await goTo(text), 'mariadb')).toEqual(set);
    }
  });

  it('has reached, at a position, what that contains', async () => {
    const sets = written.map(({ text }) => read(text, 'mariadb'));
    const expected: string[] = [];
    const answers: string[] = [];
    for (const [i, at] of sets.slice(0, 40).entries()) {
      const near = sets.slice(i, i + 25);
      const asked = [...near, ...near.map((set) => union(at, set)), emptySet('mariadb'), at];
      await goTo(formatGtidSet(at));
      answers.push(
        ...(await ask(
          cluster.primary,
          asked.map((set) => [reaches, formatGtidSet(set)]),
        )),
      );
      expected.push(...asked.map((set) => (contains(at, set) ? '0' : '-1')));
    }
    expect(answers).toEqual(expected);
    for (const answer of ['0', '-1']) {
      expect(expected.filter((each) => each === answer).length).toBeGreaterThan(100);
    }
  });

  it('has reached, at a union, both', async () => {
    for (const [i, { text }] of written.slice(1, 60).entries()) {
      const [one, other] = [read(written[i]?.text ?? '', 'mariadb'), read(text, 'mariadb')];
      await goTo(formatGtidSet(union(one, other)));
      const asked = [one, other, union(other, one)].map(formatGtidSet);
      const answers = await ask(
        cluster.primary,
        asked.map((set) => [reaches, set]),
      );
      expect(answers, `${asked}`).toEqual(['0', '0', '0']);
    }
  });

  it('reads the texts that parseGtidSet reads and refuses the others', async () => {
    const wellKnown = fc.constantFrom(
      '0-1-5,1-1-7',
      '4294967295-4294967295-18446744073709551615,0-2-9',
      '1-1-1',
      '0-1-5,\n1-2-3,+7-00-0',
    );
    const texts = sample(
      mutated(
        fc.oneof(
          wellKnown,
          mariadbSet.map(({ text }) => text),
        ),
        '0123456789---,,  \t\n\r\f\v+.x;\'"\0é',
      ),
      800,
    );
    const isRead = (text: string) => parseGtidSet(text, 'mariadb') !== null;
    const good = texts.filter(isRead);
    await goTo('');
    const answers = await ask(
      cluster.primary,
      good.map((text) => [reaches, text]),
    );
    // Here nothing has been executed: reached is what asks for nothing.
    expect(answers).toEqual(good.map((text) => (isEmptySet(read(text, 'mariadb')) ? '0' : '-1')));
    const bad = texts.filter((text) => !isRead(text));
    expect(Math.min(good.length, bad.length)).toBeGreaterThan(100);
    for (const text of bad) {
      await expect(cluster.primary.query(`SELECT ${reaches}`, [text]), text).rejects.toMatchObject({
        errno: notParsed,
      });
    }
  });

  it('prints positions that parseGtidSet reads', async () => {
    const { all } = sharedCluster('mariadb');
    for (const server of all) {
      const names = ['gtid_current_pos', 'gtid_binlog_pos', 'gtid_binlog_state', 'gtid_slave_pos'];
      const texts = await ask(
        server,
        names.map((name) => [`@@GLOBAL.${name}`]),
      );
      expect(texts.join('')).not.toBe('');
      for (const text of texts) expect(formatGtidSet(read(text, 'mariadb'))).toBe(text);
    }
  });
});
