import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dialect, textReasons } from '../../../packages/core/src/statement/facts.ts';
import { mariadbFunctions } from '../../../packages/core/src/statement/functions/mariadb.ts';
import { mysqlFunctions } from '../../../packages/core/src/statement/functions/mysql.ts';
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
  'SELECT a FROM t FOR SHARE',
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

const nestable = safeTexts
  .filter((text) => !text.startsWith('EXPLAIN'))
  .map((text) => text.replace(' ;', ''));
/** Where the grammar has room for a query. */
const nests: readonly ((query: string) => string)[] = [
  (query) => `( ${query} )`,
  (query) => `SELECT * FROM ( ${query} ) d`,
  (query) => `SELECT 1 FROM t WHERE EXISTS ( ${query} ) OR b`,
  (query) => `SELECT ( ${query} ) , a FROM t`,
  (query) => `SELECT a FROM t WHERE b IN ( ${query} ) ORDER BY a`,
  (query) => `SELECT IF ( a , ( ${query} ) , 1 ) FROM t`,
  (query) => `WITH w AS ( ${query} ) SELECT 1 FROM w`,
  (query) => `SELECT a FROM t JOIN ( ${query} ) AS e ON 1 LIMIT 1`,
  (query) => `( SELECT 1 ) UNION ALL ( ${query} )`,
  (query) => `( ${query} ) UNION SELECT 2`,
];

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
          const { object, ...facts } = classifiers[where].classify(mutant);
          // The object is a name as it is written.
          const written = { ...facts, object: object?.toLowerCase() ?? null };
          expect(written, mutant).toEqual({
            ...expected,
            object: expected.object?.toLowerCase() ?? null,
          });
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('has the same facts with its names in quotes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...safeTexts, ...otherTexts),
        cases,
        dialect,
        (text, someCases, where) => {
          const quoted = quoteSome(text, someCases);
          const expected = classifiers[where].classify(text);
          expect(classifiers[where].classify(quoted), quoted).toEqual(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is as safe in nests, however deep', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...nestable, ...refusedTexts.filter((text) => !text.includes(';'))),
        fc.array(fc.constantFrom(...nests), { minLength: 1, maxLength: 5 }),
        gaps,
        dialect,
        (text, someNests, someGaps, where) => {
          const nested = someNests.reduce((inner, nest) => nest(inner), text);
          const mutant = mutate(nested, someGaps, [true]);
          const isSafe = classifiers[where].classify(text).reason === null;
          expect(classifiers[where].classify(mutant).reason === null, mutant).toBe(isSafe);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** The text with some of its names in backquotes. */
function quoteSome(text: string, which: readonly boolean[]): string {
  let count = 0;
  return text.replaceAll(/(?<![`.@\w])\b[abtuvdx]\b(?![`@])/g, (name) =>
    which[count++ % which.length] ? `\`${name}\`` : name,
  );
}

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
  const impure: Readonly<Record<Dialect, readonly string[]>> = {
    mysql: Object.keys(mysqlFunctions.impure),
    mariadb: Object.keys(mariadbFunctions.impure),
    unknown: [...Object.keys(mysqlFunctions.impure), ...Object.keys(mariadbFunctions.impure)],
  };
  const gaps = fc.array(gap, { minLength: 1, maxLength: 30 });
  const someNests = fc.array(fc.constantFrom(...nests), { maxLength: 3 });

  /** Puts the construct between two tokens of a nested text. */
  function insert(
    text: string,
    around: typeof nests,
    construct: string,
    position: number,
  ): string[] {
    const tokens = around.reduce((inner, nest) => nest(inner), text).split(' ');
    tokens.splice(position % (tokens.length + 1), 0, construct);
    return tokens;
  }

  function join(tokens: readonly string[], between: readonly string[]): string {
    return tokens.map((token, i) => `${token}${between[i % between.length]}`).join('');
  }

  it('keeps the text from the replicas', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...nestable),
        someNests,
        fc.constantFrom(...forbidden),
        fc.nat(),
        gaps,
        dialect,
        (text, around, construct, position, between, where) => {
          const mutant = join(insert(text, around, construct, position), between);
          expect(classifiers[where].classify(mutant).reason, mutant).not.toBeNull();
        },
      ),
      { numRuns: 6000 },
    );
  });

  it('keeps the text from the replicas, as does any call of an impure function', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...nestable),
        someNests,
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        gaps,
        dialect,
        (text, around, which, position, upper, between, where) => {
          const names = impure[where];
          const name = names[which % names.length] ?? '';
          const call = `${upper ? name.toUpperCase() : name}${between[0]}( 1 )`;
          const mutant = join(insert(text, around, call, position), between);
          expect(classifiers[where].classify(mutant).reason, mutant).not.toBeNull();
        },
      ),
      { numRuns: 4000 },
    );
  });

  it('is harmless in a string, a comment or the quotes of a name', () => {
    const tail = (text: string): string => text.replaceAll(/[*/\\'"`?;\n]/g, ' ');
    const hide: readonly ((text: string) => string)[] = [
      (text) => `SELECT a FROM t WHERE b = '${tail(text)}'`,
      (text) => `SELECT a FROM t WHERE b = "${tail(text)}"`,
      (text) => `SELECT a AS \`${tail(text)}\` FROM t`,
      (text) => `SELECT a /* ${tail(text)} */ FROM t`,
      (text) => `SELECT a -- ${tail(text)}\nFROM t`,
      (text) => `SELECT a FROM t # ${tail(text)}`,
      (text) => `SELECT a FROM t WHERE b = 'it''s ${tail(text)} ''' AND c = ''`,
      (text) => `SELECT a FROM t WHERE b IN ('${tail(text)}', "${tail(text)}", 1)`,
    ];
    fc.assert(
      fc.property(
        // In quotes, a table of the primary is one.
        fc.constantFrom(...forbidden.filter((each) => each !== 'job'), ...refusedTexts),
        fc.constantFrom(...hide),
        dialect,
        (construct, hidden, where) => {
          const text = hidden(construct);
          expect(classifiers[where].classify(text).reason, text).toBeNull();
        },
      ),
      { numRuns: 1500 },
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
          expect(facts).toMatchObject({ kind: 'read', pin: null, frees: null, asks: [] });
        if (facts.kind === 'multiple') expect(facts.pin).toBe('unknown-state');
        // Pure: again, and from a fresh string, the same.
        expect(classifiers[where].classify(` ${sql}`.slice(1))).toEqual(facts);
      }),
      { numRuns: 12_000 },
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
