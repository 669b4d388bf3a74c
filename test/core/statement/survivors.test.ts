import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../../packages/core/src/statement/classifier.ts';
import { classifiers, describeRows, dialects, safe } from './rows.ts';

/*
 * What only a mutated classifier gets wrong (npm run test:mutation): rows that no rule asked for,
 * most of them no SQL to any server.
 */

describeRows('numbers that end before a keyword', { kind: 'read', reason: 'locking-read' }, [
  ['SELECT a FROM t WHERE b = 12.5FOR SHARE', 'several digits before the point'],
  ['SELECT a FROM t WHERE b = 12.FOR SHARE', 'several digits and a point'],
  ['SELECT a FROM t WHERE b = 12e1FOR SHARE', 'several digits before the exponent'],
  ['SELECT a FROM t WHERE b = 1.25e-10FOR SHARE', 'several everywhere'],
  ['SELECT a FROM t WHERE b = 1E+1FOR SHARE', 'a sign'],
  ['SELECT a FROM t WHERE b = .25FOR SHARE', 'a point first'],
  ['SELECT a FROM t WHERE b = 0x41.5FOR SHARE', 'a hexadecimal one ends at the point'],
  ['SELECT a FROM t WHERE b = 0x4f.5FOR SHARE', 'with letters'],
  ['SELECT a FROM t WHERE b = 0b01.5FOR SHARE', 'a binary one'],
  ['SELECT a FROM t WHERE b = 0xaf.5FOR SHARE', 'the first and the last letter'],
  ['SELECT a FROM t WHERE b = 9.9FOR SHARE', 'the last digit'],
  ['SELECT a FROM t WHERE b AND .5FOR SHARE', 'a word before it'],
  ['SELECT (1).5FOR SHARE', 'a parenthesis before it'],
  ["SELECT '' FROM t FOR UPDATE", 'an empty string before it'],
  ['SELECT a FROM t WHERE b = 0x41 FOR UPDATE', 'white space behind it'],
  ['SELECT a FROM t WHERE b = 0b01 FOR UPDATE', 'white space behind it'],
]);

describeRows('names that begin like numbers', safe, [
  ['SELECT 1efor, 1e_for, 12efor FROM t', 'an exponent without digits'],
  ['SELECT 1x1.5for, 2b1.5for FROM t', 'no hexadecimal or binary number without a zero'],
  ['SELECT 0x.5for, 0b.5for FROM t', 'nor without digits'],
  ['SELECT 0b1f.5for, 0b2.5for, 0x1g.5for FROM t', 'nor with other digits'],
]);

describeRows('harmless all the same', safe, [
  ['SELECT 4 / 2, 4/2 FROM t', 'a division is no comment'],
  ['SELECT a /*M FOR UPDATE */ FROM t', 'only with ! it is a comment of MariaDB'],
  ['SELECT a /*x! FOR UPDATE */ FROM t', 'only M is its letter'],
  ["SELECT 'abc'/*+ NO_ICP(t) */ FROM t", 'a string that touches a hint'],
  ['SELECT /*+ NO_MERGE(t) ROWID_FILTER(t) SUBQUERY(@a) */ 1 FROM t', 'hints of all kinds'],
  ['SELECT SQL_BUFFER_RESULT (a) FROM t', 'an option of SELECT'],
  ['SELECT SQL_SMALL_RESULT SQL_BUFFER_RESULT (a) FROM t', 'two of them'],
  ['SELECT * FROM JSON_TABLE(a, "$" COLUMNS (b INT PATH "$")) AS j', 'a path in double quotes'],
  ['SELECT LAG(a) RESPECT NULLS OVER (ORDER BY b) FROM t', 'NULLS before OVER'],
  ['SELECT NTH_VALUE(a, 2) FROM FIRST OVER (ORDER BY b) FROM t', 'FIRST before OVER'],
  ['SELECT NTH_VALUE(a, 2) FROM LAST OVER (ORDER BY b) FROM t', 'LAST before OVER'],
  ['SELECT * FROM t FOR SYSTEM_TIME AS OF (a)', 'OF behind AS'],
  ['SELECT CONVERT(a, CHAR(5) CHAR SET utf8mb4)', 'CHAR SET'],
  ['WITH c (é, naïve) AS (SELECT 1, 2) SELECT * FROM c', 'columns beyond ASCII'],
  ['WITH c AS (SELECT 1) VALUES ROW(1)', 'VALUES behind WITH'],
  ['SELECT 1 UNION VALUES (2)', 'behind UNION'],
  ['SELECT 1 UNION DISTINCT VALUES (2)', 'behind UNION DISTINCT'],
  ['SELECT 1 EXCEPT VALUES (2)', 'behind EXCEPT'],
  ['SELECT 1 INTERSECT VALUES (2)', 'behind INTERSECT'],
  ['SELECT 1 MINUS VALUES (2)', 'behind MINUS'],
  ['SELECT a FROM `stock`.till', 'a table of that name in another database, quoted'],
  ['SELECT a FROM stock . till', 'with white space'],
  ['SELECT 1 -? FROM t', 'a minus sign before a placeholder'],
  ['SELECT 1 -+? FROM t', 'two signs'],
  ['SELECT - -? FROM t', 'not beside each other'],
  ['SELECT :z, :Zz FROM t', 'the last letter'],
  ['SELECT "a", ? FROM t', 'double quotes and a placeholder'],
  ['SELECT 1 ? FROM t', 'a number before a placeholder'],
]);

describeRows('refused all the same', { kind: 'read', reason: 'unknown-function' }, [
  ['WITH c (1) AS (SELECT 1) SELECT 1', 'a number is no column'],
  ['WITH c (a b AS (SELECT 1)) SELECT 1', 'a list that does not end'],
  ['SELECT /*!50000 2 *f(1) */', 'a star in an executable comment'],
]);
describeRows('INTO without INTO', { kind: 'read', reason: 'into' }, [
  ["SELECT a FROM t OUTFILE '/x'", 'OUTFILE'],
  ["SELECT a FROM t INFILE '/x'", 'INFILE'],
]);
describeRows('placeholders that join', { kind: 'read', reason: 'malformed', word: '?' }, [
  ['SELECT 1 --? FROM t', 'two minus signs before it'],
  ['SELECT 1.? FROM t', 'a point before it'],
  ['SELECT f ? FROM t', 'a name before it'],
]);
describeRows('what does not lex', { kind: 'read', reason: 'malformed' }, [
  ['SELECT .5e FROM t', 'an exponent without digits behind a point'],
]);
describeRows('what no rule knows', { kind: 'read', reason: 'unrecognised' }, [
  ['SELECT a\u0080 FROM t', 'U+0080 at the end of a word'],
  ['SELECT /*+ NO_ICP(t) \\ */ 1', 'a backslash in a hint'],
  ['SELECT /*+ NO_ICP(t) ? */ 1', 'a placeholder in a hint'],
  ['SELECT /*+ NO_ICP(t) :a */ 1', 'a named placeholder in a hint'],
  ['SELECT VALUES FROM t', 'VALUES in the place of a column'],
  ['SELECT POW(a, VALUES + b) FROM t', 'in an expression'],
]);
describeRows('the character that no rule knows', { kind: 'read', reason: 'unrecognised' }, [
  ['SELECT :{ FROM t', 'no letter behind the colon'],
]);
describeRows('that character by name', { reason: 'unrecognised', word: ':' }, [
  ['SELECT a : b FROM t', 'a colon'],
]);
describeRows('that character by name', { reason: 'unrecognised', word: '[' }, [
  ['SELECT "?", [a] FROM t', 'before the placeholder that is none'],
]);
describeRows('that character without a name', { reason: 'unrecognised', word: null }, [
  ['SELECT \u0001', 'one that nobody sees'],
  ['SELECT \u007f', 'nor this one'],
]);
describeRows('VALUES that no rule knows', { reason: 'unrecognised', word: 'values' }, [
  ['SELECT a FROM t VALUES (1)', 'behind a table'],
]);
describeRows(
  'an XPath that may name a variable',
  { reason: 'user-variable', word: 'extractvalue' },
  [
    ["SELECT EXTRACTVALUE(a, '$@i')", 'by its function'],
    ['SELECT EXTRACTVALUE(?)', 'a list in place of all arguments'],
  ],
);
describeRows('an XPath that may name a variable', { reason: 'user-variable', word: 'updatexml' }, [
  ["SELECT UPDATEXML(?, '/a')", 'a list in place of the first arguments'],
]);
describeRows('an XPath that names no variable', safe, [
  ["SELECT EXTRACTVALUE(?, '/a')", 'a list in place of the document makes an argument too many'],
  ["SELECT UPDATEXML(?, '/a', b)", 'there too'],
  ['SELECT EXTRACTVALUE(a)', 'no XPath at all'],
]);
describeRows(
  'sequences of MariaDB, by name',
  { reason: 'unsafe-function', word: 'next' },
  [['SELECT NEXT VALUE FOR s', 'the next value']],
  ['mariadb', 'unknown'],
);
describeRows(
  'sequences of MariaDB, by name',
  { reason: 'session-function', word: 'previous' },
  [['SELECT PREVIOUS VALUE FOR s', 'the previous one']],
  ['mariadb', 'unknown'],
);
describeRows(
  'sequences of MariaDB, by name',
  { reason: 'unsafe-function', word: 'nextval' },
  [['SELECT ? nextval FROM s', 'the placeholder may be a name and a point']],
  ['mariadb', 'unknown'],
);
describeRows(
  'JSON_TABLE that no table can be',
  { kind: 'read', reason: 'unknown-function' },
  [["SELECT JSON_TABLE(a, '$' COLUMNS (b INT PATH '$'))", 'behind SELECT']],
  ['mariadb', 'unknown'],
);

describeRows('routing hints', { kind: 'read', hint: 'primary', reason: null }, [
  [`SELECT 1 /*route:primary${' '.repeat(51)}*/`, 'in the longest comment that is looked at'],
  [`SELECT '${'x'.repeat(100)}' /* route:primary */`, 'far behind the first character'],
  ['/* route:primary */ SELECT 1 /*! + 1 */', 'in a text with two readings'],
]);
describeRows('no routing hint', { kind: 'read', hint: null, reason: null }, [
  [`SELECT 1 /*route:primary${' '.repeat(52)}*/`, 'a longer one'],
  ['SELECT 1 /*! + 1 */', 'none in either reading'],
]);
describeRows(
  'what shows in one reading only',
  { kind: 'read', reason: 'malformed', asks: ['found-rows'] },
  [["SELECT 'a\\', FOUND_ROWS(), ' '", 'a question about the statement before']],
);
describeRows('what shows in one reading only', { kind: 'read', hint: 'primary' }, [
  ["SELECT 'a\\' /* route:primary */ , ' '", 'a routing hint'],
]);

describeRows(
  'what shows in one reading only',
  { kind: 'read', reason: 'session-function', word: 'connection_id' },
  [['SELECT 1 /*! + CONNECTION_ID() */', 'a question about the session']],
);
describeRows('what calls a function that may do anything', { callsUnknown: true }, [
  ['SELECT SLEEP(1)', 'one that is not safe'],
  ['SELECT @a, f(1)', 'behind another reason'],
  ["SELECT @a, 'a\\', f(1), ' '", 'in one reading only'],
]);
describeRows(
  'what calls a function that may do anything',
  { callsUnknown: true },
  [['SELECT NEXT VALUE FOR s', 'without parentheses']],
  ['mariadb', 'unknown'],
);
describeRows('what calls none', { callsUnknown: false }, [
  ['SELECT @a', 'a variable'],
  ['SELECT a FROM t FOR UPDATE', 'a lock'],
  ["SELECT @a, 'a\\', 1, ' '", 'in neither reading'],
]);

describeRows(
  'a text that fails before its first token',
  { kind: 'other', reason: 'malformed', pin: 'unknown-state' },
  [
    ["'abc", 'a string that does not end'],
    ['/* abc', 'a comment that does not end'],
  ],
);
describeRows('more than one statement', { kind: 'multiple', reason: 'multiple-statements' }, [
  [';SELECT 1;', 'the first of them empty'],
]);

describeRows('writes behind WITH', { kind: 'write', reason: 'writes' }, [
  ['WITH c AS (SELECT 1) INSERT INTO t SELECT 1', 'INSERT'],
  ['WITH c AS (SELECT 1) REPLACE INTO t SELECT 1', 'REPLACE'],
]);
describeRows('words that write behind WITH', { kind: 'read', reason: 'writes' }, [
  ['WITH c AS (SELECT 1) SELECT a SET FROM t', 'no statement begins with them there'],
]);

describeRows('shown, whatever it is', { kind: 'show', reason: 'show', asks: [] }, [
  ['DESC format a b SELECT 1', 'a table named like the option'],
  ['EXPLAIN a = b SELECT 1', 'an option that none is'],
  ['SHOW a (*) b WARNINGS', 'no count'],
  ['SHOW COUNT a b c WARNINGS', 'no parenthesis'],
]);
describeRows('questions about statements before', { kind: 'show', asks: ['diagnostics'] }, [
  ['SHOW PROFILE', 'of MySQL'],
  ['SHOW PROFILES', 'of MySQL'],
]);
describeRows('ANALYZE of no statement', { kind: 'write', reason: 'not-a-read' }, [
  ['ANALYZE format a b SELECT 1', 'a table named like the option'],
  ['ANALYZE a = b SELECT 1', 'an option that none is'],
]);

describeRows('what definitions leave behind', { kind: 'write', pin: 'user-variable' }, [
  ['CREATE TABLE t SELECT @a := 1 AS event', 'a column named like an object'],
  ['CREATE INDEX i ON t (event, @a)', 'in parentheses'],
]);
describeRows('one definition', { kind: 'write', reason: 'not-a-read', word: 'create' }, [
  ['CREATE PACKAGE p AS a INT; b INT; END', 'a package of MariaDB'],
  ['CREATE PROCEDURE p() BEGIN SET @a = 1; END', 'a procedure'],
]);
describeRows('accounts', { pin: null }, [
  ["SET PASSWORD FOR 'u'@'h' = 'x'", 'SET PASSWORD'],
  ['DROP USER "u"@"h"', 'in double quotes'],
]);
describeRows('an account behind a role', { pin: 'role' }, [
  ["SET DEFAULT ROLE r TO 'u'@'h'", 'no variable'],
]);
describeRows('no accounts', { pin: 'user-variable' }, [
  ["SET GLOBAL a = 'b'@c", 'in an assignment'],
  ['ALTER USER u WITH MAX_USER_CONNECTIONS 1@a', 'behind a number'],
]);
describeRows('a session variable for one', { kind: 'other', pin: 'session-variable' }, [
  ['SET STATEMENT a = 1 FOR SELECT 1', 'for one statement'],
]);
describeRows('session variables', { kind: 'set', pin: 'session-variable' }, [
  ['SET `default` = 1', 'named like another form of SET'],
  ['SET @@global = 1', 'named like a scope'],
]);
describeRows('SET by its word', { kind: 'set', reason: 'not-a-read', word: 'set' }, [
  ['SET a = 1', 'an assignment'],
]);
describeRows('what leaves nothing behind', { pin: null }, [
  ['DO 1', 'DO of nothing'],
  ["INSERT INTO t VALUES (`get_lock`('a', 1))", 'a stored function named like a built-in'],
  ['FLUSH TABLES read', 'a table named like an option'],
]);

describeRows('functions whose names only look like others', { reason: 'unknown-function' }, [
  ['SELECT jwzwva(a)', 'the same hash as BINARY'],
  ['SELECT cwmmgba(a, b, c)', 'the same hash as REPLACE'],
  ['SELECT vpbuza(a, b, c)', 'the same hash as REGEXP_REPLACE'],
  ['SELECT zezyvb(1)', 'the same hash as LOG2'],
  ['SELECT Änterflüche(1)', 'the same hash as a name that the user gave'],
]);
describeRows('quoted keywords', { reason: 'unrecognised', word: 'for' }, [
  ['SELECT a FROM t `index` FOR JOIN (i)', 'an alias'],
  ['SELECT a FROM t FOR `ordinality`', 'behind FOR'],
]);
describeRows(
  'reserved in MySQL',
  safe,
  [['SELECT stored, virtual FROM t', 'columns']],
  ['mariadb'],
);
describeRows(
  'reserved in MySQL',
  { reason: 'unrecognised' },
  [
    ['SELECT stored FROM t', 'no column'],
    ['SELECT virtual FROM t', 'no column'],
  ],
  ['mysql', 'unknown'],
);
describeRows(
  'reserved in MariaDB',
  safe,
  [['SELECT portion, page_checksum FROM t', '']],
  ['mysql'],
);
describeRows(
  'reserved in MariaDB',
  { reason: 'unrecognised' },
  [
    ['SELECT portion FROM t', 'no column'],
    ['SELECT page_checksum FROM t', 'no column'],
  ],
  ['mariadb', 'unknown'],
);

const list = 'a, '.repeat(500);

describeRows('many tokens', safe, [[`SELECT ${list}b FROM t`, 'a thousand']]);
describeRows('many tokens', { kind: 'read', reason: 'unknown-function', word: 'f' }, [
  [`SELECT ${list}f(1) FROM t`, 'a thousand before the call'],
  [`SELECT f(1), ${list}b FROM t`, 'a thousand behind it'],
]);

describe('a text after another one', () => {
  it.each([
    ['SELECT a(1)', 'SELECT insert', 'writes'],
    ['SELECT a FROM t FOR UPDATE', 'SELECT a FROM t', null],
    [`SELECT ${list}f(1)`, 'SELECT 1', null],
  ])('%s, %s', (first, second, reason) => {
    for (const dialect of dialects) {
      const classifier = createClassifier({ dialect });
      classifier.classify(first);
      expect(classifier.classify(second).reason, dialect).toBe(reason);
    }
  });
});

describe('many names that the user gave', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `long_name_of_the_user_${i}`);
  const classifier = createClassifier({ dialect: 'mysql', pureFunctions: names });

  it('are known, all of them', () => {
    for (const name of names) expect(classifier.classify(`SELECT ${name}(1)`).reason).toBeNull();
  });

  it('and no other one is', () => {
    expect(classifier.classify('SELECT long_name_of_the_user_2000(1)').reason).toBe(
      'unknown-function',
    );
    expect(classifier.classify('SELECT SLEEP(1)').reason).toBe('unsafe-function');
  });

  it('in any case', () => {
    expect(classifiers.unknown.classify('SELECT ÜNTERFLÄCHE(1)').reason).toBeNull();
  });
});
