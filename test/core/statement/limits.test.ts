import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';

const MiB = 1024 * 1024;

function filled(start: string, part: string, end = '', length = MiB): string {
  return start + part.repeat(Math.ceil((length - start.length - end.length) / part.length)) + end;
}

/** Texts of 1 MiB, each the worst for some loop. */
const texts: Readonly<Record<string, string>> = {
  'a list of numbers': filled('SELECT 1 FROM t WHERE a IN (1', ', 12345', ')'),
  'a list of placeholders': filled('SELECT 1 FROM t WHERE a IN (?', ',?', ')'),
  'a list of strings': filled("SELECT 1 FROM t WHERE a IN ('x'", ", 'abc'", ')'),
  'escaped quotes': filled("SELECT 'a", "\\'", "'"),
  'strings with an escaped quote': filled("SELECT 'x'", ", 'it\\'s'"),
  'double quotes': filled('SELECT "x"', ', "a\\"b"'),
  'quoted names': filled('SELECT `x`', ', `abc`'),
  'one long name': filled('SELECT ', 'x'),
  'one long name beyond ASCII': filled('SELECT ', 'é'),
  'one long string': filled("SELECT '", 'x', "'"),
  'one long number': filled('SELECT ', '1'),
  words: filled('SELECT a', ' a'),
  keywords: filled('SELECT a', ' AND'),
  points: filled('SELECT a', '.a'),
  'open parentheses': filled('SELECT ', '('),
  'closed parentheses': filled('SELECT 1', ')'),
  'pairs of parentheses': filled('SELECT 1', ',()'),
  'nested calls': filled('SELECT ', 'ABS('),
  'column lists': filled('SELECT 1', ' AS d (a'),
  'column lists that go on': filled('WITH c (a', ', a'),
  'SUBSTRING … FOR': filled('SELECT SUBSTRING(a FROM 1', ' FOR 1', ')'),
  XPaths: filled('SELECT 1', ", EXTRACTVALUE(a, '/b')"),
  comments: filled('SELECT 1', '/**/'),
  'line comments': filled('SELECT 1', '#\n'),
  dashes: filled('SELECT 1', '-- \n'),
  'minus signs': filled('SELECT 1', '-'),
  'executable comments': filled('SELECT 1', '/*!50000 +1 */'),
  'unclosed comments': filled('SELECT 1', '/*'),
  'unclosed executable comments': filled('SELECT 1', '/*!'),
  'a hint': filled('SELECT /*+ ', 'NO_ICP(t) ', '*/ 1'),
  semicolons: filled('SELECT 1', ';'),
  statements: filled('SELECT 1', '; SELECT 1'),
  'white space': filled('SELECT', ' ', '1'),
  NULs: filled('SELECT 1', '\0'),
  backslashes: filled("SELECT '", '\\', "'"),
  variables: filled('SET @a = 1', ', @a = 1'),
  'an INSERT of many rows': filled("INSERT INTO t VALUES (1, 'a')", ", (1, 'it\\'s')"),
  'question marks in comments': filled('SELECT "a"', ' /* ? */'),
  colons: filled('SELECT 1', ':a '),
};

describe('a text of 1 MiB', () => {
  const classifier = createClassifier({ dialect: 'mysql' });
  // Warm: what is measured is the loops, not their compilation.
  for (const text of Object.values(texts)) classifier.classify(text.slice(0, 20_000));

  it.each(Object.entries(texts))('of %s takes time in proportion to its length', (_name, text) => {
    const cpuOf = (sql: string): number => {
      const before = process.cpuUsage();
      classifier.classify(sql);
      const { user } = process.cpuUsage(before);
      return user / 1000;
    };
    // Far over the bar of 20 ms, for machines that are busy: a loop that is not linear takes minutes.
    expect(Math.min(cpuOf(text), cpuOf(text))).toBeLessThan(1500);
  });
});

describe('memory', () => {
  it('keeps a bounded number of texts, from their second time on', () => {
    const classifier = createClassifier({ dialect: 'mysql' });
    for (let i = 0; i < 20_000; i++) classifier.classify(`SELECT a FROM t WHERE b = ${i}`);
    expect(classifier.stats()).toMatchObject({ known: 0, remembered: 1, parsed: 1 });
    // Texts that are alike wherever they are sampled count as one text seen twice.
    expect(classifier.stats().texts).toBeLessThan(500);
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
    for (let i = 0; i < 6000; i++) classifier.classify(`TABLE t${i}`);
    expect(classifier.stats().remembered).toBeLessThanOrEqual(4096);
    expect(classifier.stats().parsed).toBe(6000);
  });
});
