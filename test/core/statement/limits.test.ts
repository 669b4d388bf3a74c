import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';
import type { TextReason } from '../../../packages/core/src/statement/facts.ts';

const MiB = 1024 * 1024;

function filled(start: string, part: string, end = '', length = MiB): string {
  return start + part.repeat(Math.ceil((length - start.length - end.length) / part.length)) + end;
}

/**
 * Texts of 1 MiB, each the worst for some loop, and why they stay off the replicas. A loop that is
 * not linear would take hours on one of them.
 */
const texts: readonly (readonly [name: string, text: string, reason: TextReason | null])[] = [
  ['a list of numbers', filled('SELECT 1 FROM t WHERE a IN (1', ', 12345', ')'), null],
  ['a list of placeholders', filled('SELECT 1 FROM t WHERE a IN (?', ',?', ')'), null],
  ['a list of strings', filled("SELECT 1 FROM t WHERE a IN ('x'", ", 'abc'", ')'), null],
  ['escaped quotes', filled("SELECT 'a", "\\'", "'"), 'malformed'],
  ['strings with an escaped quote', filled("SELECT 'x'", ", 'it\\'s'"), 'malformed'],
  ['double quotes', filled('SELECT "x"', ', "a\\"b"'), 'malformed'],
  ['quoted names', filled('SELECT `x`', ', `abc`'), null],
  ['one long name', filled('SELECT ', 'x'), null],
  ['one long name beyond ASCII', filled('SELECT ', 'é'), null],
  ['one long string', filled("SELECT '", 'x', "'"), null],
  ['one long number', filled('SELECT ', '1'), null],
  ['words', filled('SELECT a', ' a'), null],
  ['keywords', filled('SELECT a', ' AND'), null],
  ['points', filled('SELECT a', '.a'), null],
  ['names with $', filled('SELECT $a', ' $a'), null],
  ['open parentheses', filled('SELECT ', '('), 'unrecognised'],
  ['closed parentheses', filled('SELECT 1', ')'), 'malformed'],
  ['pairs of parentheses', filled('SELECT 1', ',()'), null],
  ['nested calls', filled('SELECT ', 'ABS('), 'unrecognised'],
  ['column lists', filled('SELECT 1', ' AS d (a'), 'unknown-function'],
  ['column lists that go on', filled('WITH c (a', ', a'), 'unknown-function'],
  ['SUBSTRING … FOR', filled('SELECT SUBSTRING(a FROM 1', ' FOR 1', ')'), null],
  ['XPaths', filled('SELECT 1', ", EXTRACTVALUE(a, '/b')"), null],
  ['comments', filled('SELECT 1', '/**/'), null],
  ['line comments', filled('SELECT 1', '#\n'), null],
  ['dashes', filled('SELECT 1', '-- \n'), null],
  ['executable comments', filled('SELECT 1', '/*!50000 +1 */'), 'malformed'],
  ['both of them', filled("SELECT 'a\\'b'", '/*!50000 +1 */'), 'malformed'],
  ['unclosed comments', filled('SELECT 1', '/*'), 'malformed'],
  ['unclosed executable comments', filled('SELECT 1', '/*!'), 'unrecognised'],
  ['a hint', filled('SELECT /*+ ', 'NO_ICP(t) ', '*/ 1'), null],
  ['hints', filled('SELECT 1', '*/*+_ */'), null],
  ['statements', filled('SELECT 1', '; SELECT 1'), 'multiple-statements'],
  ['variables', filled('SET @a = 1', ', @a = 1'), 'not-a-read'],
  [
    'an INSERT of many rows',
    filled("INSERT INTO t VALUES (1, 'a')", ", (1, 'it\\'s')"),
    'not-a-read',
  ],
  ['question marks in comments', filled('SELECT "a"', ' /* ? */'), 'malformed'],
  ['named placeholders', filled('SELECT 1', ':a '), 'malformed'],
];

/** White space, identifiers, operators, comments, pairs of quotes; `SELECT a;;;` is one statement. */
const safeCharacters =
  '\t\n\v\f\r !"#$%&\'*+,-./0123456789;<=>ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~数' +
  String.fromCharCode(...Array.from({ length: 256 - 0xa1 }, (_, i) => 0xa1 + i));

describe('a text of 1 MiB', () => {
  const classifier = createClassifier({ dialect: 'mysql' });

  it.each(texts)('of %s has its facts', (_name, text, reason) => {
    expect(classifier.classify(text).reason).toBe(reason);
  });

  // One of each kind; the limit is a power of two, so that quotes come in pairs.
  it.each([...'\0\u0001\t !"#$%\'()*+,-./09:;<?@Ax[\\_`{\u007f\u0080\u00a0\u00a1é数'])(
    'of %j alone has facts',
    (character) => {
      const { reason } = classifier.classify(filled('SELECT a', character, '', MiB + 8));
      expect(reason === null).toBe(safeCharacters.includes(character));
    },
  );

  it('of a few kilobytes has the same facts for each character', () => {
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code);
      const { kind, reason } = classifier.classify(filled('SELECT a', character, '', 4096 + 8));
      expect(reason === null, character).toBe(safeCharacters.includes(character));
      expect(kind, character).toBe('read');
    }
  });
});

describe('a text with several readings', () => {
  const classifier = createClassifier({ dialect: 'mysql' });
  const select = (length: number) => filled("SELECT 'it\\'s'", ", 'a'", '', length);
  const insert = (length: number) =>
    filled("INSERT INTO t VALUES ('it\\'s')", ", ('a')", '', length);

  it('is read in each of them up to 1 MiB together', () => {
    expect(classifier.classify(select(MiB / 3 - 8))).toMatchObject({ reason: null, pin: null });
    expect(classifier.classify(insert(MiB / 3 - 8))).toMatchObject({ kind: 'write', pin: null });
  });

  it('and if it is longer, may leave any state behind', () => {
    const pin = 'unknown-state';
    const kept = { kind: 'read', reason: 'malformed', word: null, pin };
    expect(classifier.classify(select(MiB / 3 + 8))).toMatchObject(kept);
    const written = { kind: 'write', reason: 'not-a-read', word: 'insert', pin };
    expect(classifier.classify(insert(MiB / 3 + 8))).toMatchObject(written);
  });
});

describe('long lists and deep nests', () => {
  const classifier = createClassifier({ dialect: 'mysql' });
  const nest = (depth: number) => `SELECT ${'('.repeat(depth)}1${')'.repeat(depth)}`;

  it.each(['12345', "'abc'", '?', '(1, 2)', '`a`.`b`', 'NOW()'])('10,000 times %s', (element) => {
    const list = Array.from({ length: 10_000 }, () => element).join(', ');
    expect(classifier.classify(`SELECT a FROM t WHERE b IN (${list})`).reason).toBeNull();
    expect(classifier.classify(`SELECT a FROM t WHERE b IN (${list}, @a)`)).toMatchObject({
      reason: 'user-variable',
    });
  });

  it('100,000 parentheses, one in the other, are refused', () => {
    expect(classifier.classify(nest(100_000)).reason).toBe('unrecognised');
    expect(classifier.classify(nest(1024)).reason).toBeNull();
    expect(classifier.classify(nest(1025)).reason).toBe('unrecognised');
  });

  it('100,000 parentheses, one beside the other, are fine', () => {
    expect(classifier.classify(filled('SELECT 1', ' + (1)', '', 600_000)).reason).toBeNull();
  });
});

describe('memory', () => {
  it('keeps a bounded number of texts, from their second time on', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    for (let i = 0; i < 100_000; i++) classifier.classify(`SELECT a FROM t WHERE b = ${i}`);
    expect(classifier.stats()).toMatchObject({ known: 0, remembered: 1, parsed: 1 });
    // Texts that are alike wherever they are sampled count as one text seen twice.
    expect(classifier.stats().texts).toBeLessThan(500);
    for (let i = 0; i < 10_000; i++) {
      for (let round = 0; round < 2; round++) classifier.classify(`SELECT b FROM t WHERE b = ${i}`);
    }
    expect(classifier.stats().texts).toBeGreaterThan(500);
    expect(classifier.stats().texts).toBeLessThanOrEqual(1024);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20_000; i++) classifier.classify(`SELECT a FROM t WHERE c = ${i % 500}`);
    }
    expect(classifier.stats().texts).toBeGreaterThan(100);
    expect(classifier.stats().texts).toBeLessThanOrEqual(1024);
    expect(classifier.stats().known).toBeGreaterThan(10_000);
  });

  it('keeps a bounded number of characters', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      const text = filled(`SELECT ${i}, '`, `${i}-`, "'", 4000);
      for (let round = 0; round < 3; round++) classifier.classify(text);
      most = Math.max(most, classifier.stats().characters);
    }
    expect(most).toBeLessThanOrEqual(2 * MiB);
    expect(most).toBeGreaterThan(MiB);
  });

  it('keeps no long text', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    const text = filled("SELECT '", 'x', "'", 10_000);
    for (let round = 0; round < 3; round++) classifier.classify(text);
    expect(classifier.stats()).toMatchObject({ classified: 3, known: 0, texts: 0 });
  });

  it('never takes one text for another', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    // Alike in length and in every character that is sampled.
    const plain = `SELECT ${'a'.repeat(100)} FROM t WHERE b = 'for update'`;
    for (let i = 0; i < 3; i++) expect(classifier.classify(plain).reason).toBeNull();
    for (let at = 7; at < 100; at++) {
      const text = `${plain.slice(0, at)}@${plain.slice(at + 1)}`;
      for (let i = 0; i < 3; i++) expect(classifier.classify(text).reason).toBe('user-variable');
      expect(classifier.classify(plain).reason).toBeNull();
    }
  });

  it('keeps a bounded number of verdicts', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    for (let i = 0; i < 4500; i++) classifier.classify(`TABLE t${i}`);
    expect(classifier.stats().remembered).toBeLessThanOrEqual(4096);
    expect(classifier.stats().parsed).toBe(4500);
  });
});
