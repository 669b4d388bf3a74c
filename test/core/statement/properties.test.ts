import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textReasons } from '../../../packages/core/src/statement/facts.ts';
import { classifiers, dialects } from './rows.ts';

/*
 * Texts as tokens with white space between: whatever white space it is, and in whatever case the
 * words are, the facts stay the same.
 */
const safeTexts = [
  'SELECT a , b FROM t WHERE c = ? AND d IN ( 1 , 2 )',
  'SELECT t . a AS x FROM t AS u JOIN v USING ( a ) ORDER BY x LIMIT 5',
  'WITH c ( a , b ) AS ( SELECT 1 , 2 ) SELECT * FROM c',
  'SELECT * FROM ( SELECT 1 ) AS d ( a ) WHERE a > ALL ( SELECT b FROM t )',
  '( SELECT a FROM t ) UNION ALL ( SELECT b FROM u ) LIMIT 1',
  'SELECT CONCAT ( a , UPPER ( b ) ) , IF ( a , 1 , 2 ) FROM t GROUP BY a HAVING ( b ) > 1',
  'SELECT CASE a WHEN 1 THEN ( 2 ) ELSE 3 END FROM t USE INDEX FOR JOIN ( i )',
  'SELECT a FROM t WHERE b BETWEEN ? AND ? AND c LIKE ? OR NOT ( d XOR e )',
  'EXPLAIN FORMAT = JSON SELECT a FROM t WHERE b <=> NULL',
  'SELECT DATE_FORMAT ( a , b ) , a + INTERVAL 1 DAY FROM `t` WHERE `c` = 1.5e3 ;',
];
const refusedTexts = [
  'SELECT a FROM t FOR UPDATE',
  'SELECT a FROM t LOCK IN SHARE MODE',
  'SELECT f ( 1 ) FROM t',
  'SELECT `now` ( ) FROM t',
  'SELECT db . now ( )',
  'SELECT COUNT ( a ) FROM t',
  'SELECT SLEEP ( 1 )',
  'SELECT a INTO OUTFILE b FROM t',
  'SELECT a FROM information_schema . tables',
  'SELECT a FROM job',
  'WITH c AS ( SELECT 1 ) DELETE FROM t',
  'SELECT LAST_INSERT_ID ( )',
  'SELECT 1 ; DELETE FROM t',
  'SELECT @@version , @a',
];
const otherTexts = [
  'BEGIN ;',
  'START TRANSACTION READ ONLY',
  'SET SESSION a = 1 , @b = 2',
  'SET GLOBAL a = 1',
  'CREATE TEMPORARY TABLE t ( a INT )',
  'INSERT INTO t ( a ) VALUES ( GET_LOCK ( b , 1 ) )',
  'UPDATE t SET a = LAST_INSERT_ID ( a + 1 )',
  'SHOW COUNT ( * ) WARNINGS',
  'FLUSH TABLES WITH READ LOCK',
  'ROLLBACK TO SAVEPOINT a',
];

const gap = fc.constantFrom(
  ' ',
  '\t',
  '\n',
  '\r\n',
  '\v\f',
  '/**/',
  '/* a */',
  '-- a\n',
  '# b\n',
  ' /* ; */ ',
  '--\n',
);
const dialect = fc.constantFrom(...dialects);

/** The text with other gaps between its tokens and other letters in its words. */
function mutate(text: string, gaps: readonly string[], cases: readonly boolean[]): string {
  const tokens = text.split(' ');
  return tokens
    .map((token, i) => {
      const cased = cases[i % cases.length] ? token.toUpperCase() : token.toLowerCase();
      // A placeholder wants white space, or a bracket or comma, on one side.
      const beside = token === '?' || tokens[i + 1] === '?';
      return `${cased}${beside ? ' ' : gaps[i % gaps.length]}`;
    })
    .join('');
}

describe('the same text in other clothes', () => {
  const gaps = fc.array(gap, { minLength: 1, maxLength: 30 });
  const cases = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });

  it('has the same facts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...safeTexts, ...refusedTexts, ...otherTexts),
        gaps,
        cases,
        dialect,
        (text, someGaps, someCases, where) => {
          const mutant = mutate(text, someGaps, someCases);
          const expected = classifiers[where].classify(text);
          expect(classifiers[where].classify(mutant), mutant).toEqual(expected);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it.each(safeTexts)('is safe in quotes for its names: %s', (text) => {
    const quoted = text.replaceAll(/(?<![`.\w])\b[abtuvdx]\b(?!`)/g, '`$&`');
    for (const where of dialects) expect(classifiers[where].classify(quoted).reason).toBeNull();
  });

  it.each(safeTexts.filter((text) => !text.startsWith('EXPLAIN')))(
    'is safe in nests: %s',
    (text) => {
      const inner = text.replace(' ;', '');
      for (const nest of [
        `(${inner})`,
        `SELECT * FROM (${inner}) d`,
        `SELECT 1 WHERE EXISTS (${inner})`,
        `WITH w AS (${inner}) SELECT 1`,
      ]) {
        for (const where of dialects)
          expect(classifiers[where].classify(nest).reason, nest).toBeNull();
      }
    },
  );
});

describe('a forbidden construct, wherever it stands', () => {
  const forbidden = [
    'FOR UPDATE',
    'FOR SHARE',
    'LOCK IN SHARE MODE',
    'INTO @x',
    "INTO OUTFILE 'x'",
    '@a',
    '@a := 1',
    '@@version',
    'f(1)',
    'f (1)',
    '`now`()',
    'db.now()',
    'SLEEP(1)',
    "GET_LOCK('a', 1)",
    'LAST_INSERT_ID()',
    'CURRENT_USER',
    'SQL_CALC_FOUND_ROWS',
    'information_schema.x',
    '`mysql` . `user`',
    'job',
    '; DELETE FROM t',
    'DELETE',
    '/*! FOR UPDATE */',
    '/*!50000 , f(1) */',
    '/*+ SET_VAR(a = 1) */',
    'PROCEDURE ANALYSE()',
    "'a\\' FOR UPDATE -- '",
    '1e1FOR UPDATE',
  ];
  it('keeps the text from the replicas', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...safeTexts.filter((text) => !text.endsWith(';'))),
        fc.constantFrom(...forbidden),
        fc.nat(),
        gap,
        dialect,
        (text, construct, position, space, where) => {
          const tokens = text.split(' ');
          tokens.splice(position % (tokens.length + 1), 0, construct);
          const mutant = tokens.join(space);
          expect(classifiers[where].classify(mutant).reason, mutant).not.toBeNull();
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('any text at all', () => {
  const fragments = fc.constantFrom(
    ..."SELECT|FROM|t|f|(|)|,|.|;|'|\"|`|\\|/*|*/|/*!|/*!50000|/*+|--|-- |#|\n| |?|??|:a|@|@@|:=|1|1.|1e1|.5|0x|x'41'|N'|FOR UPDATE|INTO|WITH|AS|VALUES|EXPLAIN|INSERT|SET|BEGIN|\0|\u00a0|\u2028|\ufeff|é|\ud800|[|]|$|{|}|EXTRACTVALUE|SUBSTRING|mysql|job|GET_LOCK|*".split(
      '|',
    ),
  );
  const text = fc.oneof(
    fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join(' ')),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)),
      maxLength: 100,
    }),
  );

  it('has facts', () => {
    const reasons: readonly (string | null)[] = [...textReasons, null];
    fc.assert(
      fc.property(text, dialect, (sql, where) => {
        const facts = classifiers[where].classify(sql);
        expect(reasons).toContain(facts.reason);
        expect(facts.word === null || (facts.word !== '' && facts.word.length <= 64)).toBe(true);
        expect(facts.word).toBe(facts.word?.toLowerCase() ?? null);
        if (facts.reason === null)
          expect(facts).toMatchObject({ kind: 'read', pin: null, followUp: null });
        if (facts.kind === 'multiple') expect(facts.pin).toBe('unknown-state');
        // Pure: again, and from a fresh string, the same.
        expect(classifiers[where].classify(` ${sql}`.slice(1))).toEqual(facts);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is no safer before the dialect is known', () => {
    fc.assert(
      fc.property(text, (sql) => {
        if (classifiers.unknown.classify(sql).reason !== null) return;
        expect(classifiers.mysql.classify(sql).reason).toBeNull();
        expect(classifiers.mariadb.classify(sql).reason).toBeNull();
      }),
      { numRuns: 10_000 },
    );
  });
});
