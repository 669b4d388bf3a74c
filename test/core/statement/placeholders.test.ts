import { createRequire } from 'node:module';
import fc from 'fast-check';
import { format } from 'mysql2';
import { describe, expect, it } from 'vitest';
import { classifiers, describeRows, dialects } from './rows.ts';

describeRows('placeholders that stand alone', { kind: 'read', reason: null }, [
  ['SELECT ? FROM t', 'between white space'],
  ['SELECT a FROM t WHERE b=?', 'at the end'],
  ['SELECT a FROM t WHERE b =? AND c=?', 'behind an operator'],
  ['SELECT a FROM t WHERE b IN (?,?,?)', 'in a list'],
  ['SELECT a FROM t WHERE b IN (?)', 'a list in its place'],
  ['SELECT a FROM t WHERE (b, c) IN (?)', 'a list of lists in its place'],
  ['SELECT a FROM t WHERE b IN ?', 'with its parentheses'],
  ['SELECT a FROM t WHERE b BETWEEN ? AND ? LIMIT ? OFFSET ?', 'behind keywords'],
  ['SELECT a + INTERVAL ? DAY, DATE ?, CAST(? AS CHAR) FROM t', 'in clause syntax'],
  ['SELECT (?*2), ? + 1, -? FROM t', 'beside one operator'],
  ['SELECT ?? FROM ?? WHERE ?? = ?', 'names'],
  ['SELECT ??.id, t.??, ??.?? FROM ?? AS t', 'qualified names'],
  ['SELECT a AS ?? FROM t', 'an alias'],
  ['SELECT a FROM t WHERE b = :name AND c IN (:list)', 'named'],
  ['SELECT a FROM t WHERE b=:a1_B OR c=:1;', 'named, with digits'],
  ["SELECT '?', `?`, a /* ? */ FROM t -- ?", 'where mysql2 looks for none'],
]);

const malformed = { reason: 'malformed' } as const;
const mistaken = { reason: 'malformed', word: '?', pin: 'unknown-state' } as const;
describeRows('placeholders that could join with what is beside them', malformed, [
  ['SELECT a FROM t LIMIT 1?', 'a number before'],
  ['SELECT a FROM t LIMIT ?1', 'a number behind'],
  ['SELECT f?', 'a word before'],
  ['SELECT ?AS b', 'a word behind'],
  ["SELECT 'a'?", 'a string before'],
  ["SELECT ?'a'", 'a string behind'],
  ['SELECT "a"?', 'in double quotes'],
  ['SELECT `a`??', 'a name before'],
  ['SELECT ??`a`', 'a name behind'],
  ['SELECT 1 + .?', 'a point before'],
  ['SELECT ?.5', 'a point behind'],
  ['SELECT a.?', 'a value behind a point'],
  ['SELECT a. ?', 'with white space'],
  ['SELECT ? .b', 'a value before a point'],
  ['SELECT @?', 'the sign of a variable'],
  ['SELECT ???', 'three'],
  ['SELECT ?:a', 'two kinds'],
  ['SELECT :a:b', 'two names'],
  ['SELECT :a$', 'a character that the name has not'],
  ['SELECT :1a', 'a character that the number has not'],
  ['SELECT é?', 'a letter beyond ASCII before'],
  ['SELECT ?é', 'a letter beyond ASCII behind'],
]);
describeRows('placeholders that may become nothing', malformed, [
  ['SELECT ?(1)', 'a call of what is before'],
  ['SELECT f ? (1)', 'a call'],
  ['SELECT f /**/ ? /**/ (1)', 'a call'],
  ['SELECT now ?? ()', 'a call'],
  ['SELECT 1 --? x\n (1)', 'a comment'],
  ['SELECT 1 /?* 2', 'a comment'],
  ['SELECT 1 -?- 2', 'a comment'],
]);
describeRows('placeholders that may become a list in parentheses', malformed, [
  ['SELECT f ?', 'a call'],
  ['SELECT `f` ?', 'a call of a quoted name'],
  ['SELECT "f" ?', 'a call under ANSI_QUOTES'],
  ['SELECT db.f ?', 'a qualified call'],
  ['SELECT db . select ?', 'behind a point no keyword is one'],
  ['SELECT ?? ?', 'a name and a list'],
  ['SELECT ? ?', 'two'],
  ['SELECT count ?', 'a built-in that must touch its parenthesis'],
  ['SELECT lateral ?', 'a keyword of one dialect'],
  ['SELECT examined ?', 'a keyword of one dialect'],
]);
describeRows('placeholders that mysql2 sees and the server does not', mistaken, [
  ['SELECT "a ? b" FROM t', 'in double quotes'],
  ['SELECT a FROM t WHERE b LIKE "a?" AND c = ?', 'beside one that both see'],
  ['SELECT a FROM t # ?', 'in a line comment that mysql2 does not know'],
  ["SELECT \"it's\", 'a ? b' FROM t", 'in a string, behind quotes that it takes for others'],
  ["SELECT a # it's\n FROM t WHERE b = 'a ? b'", 'in a string, behind a quote in a comment'],
  ['SELECT a /*! + ? */ FROM t', 'in an executable comment, which may be skipped'],
]);

describe('whatever mysql2 puts in place of placeholders', () => {
  const texts = [
    'SELECT a FROM t WHERE b = ? AND c IN (?)',
    'SELECT a, ? FROM ?? WHERE ?? = ? LIMIT ?',
    'SELECT a + INTERVAL ? DAY, (?), -? FROM t WHERE (b, c) IN ?',
    "SELECT '?', ?, `?` /* ? */ FROM t WHERE a = ? -- ?",
  ];
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.constantFrom("'", "\\'", '*/', "' FOR UPDATE -- ", 'f', '`', '-- ', '"', '/*! f() */'),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constantFrom(null, undefined, new Date(0), Buffer.from('f')),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  })).value;

  it('leaves a safe text safe', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array<unknown>(value, { minLength: 6, maxLength: 6 }),
        fc.constantFrom(...dialects),
        (text, values, dialect) => {
          const classifier = classifiers[dialect];
          expect(classifier.classify(text).reason).toBeNull();
          const sent = format(text, values as string[]);
          // Under NO_BACKSLASH_ESCAPES what mysql2 escapes is not escaped, whatever we do; a list in
          // place of a name, and text like `job`, are judged as what they are.
          const { reason } = classifier.classify(sent);
          expect([null, 'malformed', 'primary-table'], sent).toContain(reason);
          if (reason === 'malformed') expect(sent).toMatch(/\\['"]/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('named placeholders', () => {
  const named: unknown = createRequire(createRequire(import.meta.url).resolve('mysql2'))(
    'named-placeholders',
  );
  const compile = (named as () => (sql: string, values: object) => [string, unknown[]])();
  const rows = ['SELECT :a', 'SELECT :a1_B , :1', 'SELECT a FROM t WHERE b=:x AND c IN (:y);'];

  it.each(rows)('are those that mysql2 reads in %s', (sql) => {
    const [unnamed] = compile(sql, {});
    expect(unnamed).toContain('?');
    expect(unnamed).not.toContain(':');
    for (const dialect of dialects) {
      expect(classifiers[dialect].classify(sql)).toEqual(classifiers[dialect].classify(unnamed));
    }
  });
});
