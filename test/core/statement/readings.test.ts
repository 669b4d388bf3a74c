import { describe, expect, it } from 'vitest';
import { classifiers, describeRows, dialects } from './rows.ts';

/*
 * Without its sql_mode a text can mean two things; each must be safe. A reading in which the text
 * is a syntax error does nothing.
 */

describeRows('an escaped quote that is safe either way', { kind: 'read', reason: null }, [
  ["SELECT 'it\\'s' FROM t", 'without escapes, a string that does not end'],
  ["SELECT 'it\\'s', 'that\\'s' FROM t", 'without escapes, a backslash outside quotes'],
  ["SELECT 'it\\'s' FROM t WHERE a = 'x'", 'without escapes, a string that does not end'],
  ["SELECT 'a\\\\', 'b\\n', '50\\%' FROM t", 'the same extent either way'],
  ["SELECT 'a\\\\''b' FROM t", 'an escaped backslash and a doubled quote'],
  ['SELECT "say \\"hi\\"" FROM t', 'in double quotes'],
  ['SELECT "a\\", b, \\"c" FROM t', 'under ANSI_QUOTES, a backslash outside quotes'],
  ["SELECT 'a\\', b -- ' FROM t", 'without escapes, a comment behind it: safe too'],
]);

describeRows('an escaped quote that is safe in one reading only', { reason: 'malformed' }, [
  ["SELECT 'a\\' FOR UPDATE -- ' FROM t", 'without escapes, a locking read'],
  ["SELECT 'a\\', f(1), '' FROM t", 'without escapes, a call'],
  ["SELECT 'a\\', f(1) # ' FROM t", 'without escapes, a call before a comment'],
  ['SELECT "a\\", f(1), "" FROM t', 'under ANSI_QUOTES, a call'],
  ['SELECT "a\\" FOR UPDATE -- " FROM t', 'under ANSI_QUOTES, a locking read'],
  ["SELECT 'a\\'; DELETE FROM t; -- '", 'without escapes, a second statement'],
  ["SELECT 'a\\'; DELETE FROM t; '", 'the second runs before the server sees the error'],
  ["SELECT 'a\\\\\\' FOR UPDATE -- '", 'behind an escaped backslash'],
  ["SELECT 'a\\' /*! FOR UPDATE */ -- '", 'a comment that only one reading sees'],
  ['SELECT \'it\\\'s\', "a\\" FOR UPDATE -- "', 'under ANSI_QUOTES alone'],
  ["SELECT 'a\\' /*! \" */ FOR UPDATE -- '", 'without escapes, where the comment is skipped'],
  ['SELECT \'it\\\'s\', "a\\" /*! ` */ FOR UPDATE -- "', 'under ANSI_QUOTES, where it is skipped'],
  ["SELECT a /*! , '/* x' */ FROM t", 'a comment inside the comment, to a server that skips it'],
  ['SELECT "a\\" , \'x\\\' FOR UPDATE -- "', 'two kinds of quotes'],
]);

describeRows('the facts of a write in more readings', { kind: 'write', pin: null }, [
  ["INSERT INTO t VALUES ('it\\'s')", 'an error without escapes'],
  ["UPDATE t SET a = 'it\\'s', b = 'that\\'s'", 'an error without escapes'],
]);
describeRows('state that only one reading shows', { pin: 'user-variable' }, [
  ["INSERT INTO t VALUES ('a\\', @v) -- ')", 'without escapes, a variable'],
]);
describeRows(
  'a second statement that only one reading shows',
  { kind: 'multiple', pin: 'unknown-state' },
  [["INSERT INTO t VALUES ('a\\'); SET @a = 1 -- ')", 'without escapes']],
);

describeRows('executable comments that are safe either way', { kind: 'read', reason: null }, [
  ['SELECT /*!40001 SQL_NO_CACHE */ a FROM t', 'a modifier'],
  ['SELECT /*! STRAIGHT_JOIN */ a FROM t', 'without a version'],
  ['SELECT a /*!50000 , b */ FROM t /*!50000 WHERE a = 1 */', 'twice the same version'],
  ['SELECT a /*M! , b */ FROM t', 'of MariaDB'],
  ['/*!50000 SELECT a FROM t */', 'nothing without it'],
  ["SELECT a /*! , 'x' */ FROM t", 'a string inside'],
  ['SELECT a */*!50000 2 * */ b FROM t', 'an operator before'],
]);

describeRows('executable comments that hide something', { kind: 'read' }, [
  ['SELECT a /*!50000 , f(1) */ FROM t', 'a call'],
  ['SELECT a, f /*!50000 , b */ (1) FROM t', 'a call without the comment'],
  ['SELECT a /*!50000 -- */ FROM t FOR UPDATE', 'a line comment that hides its end'],
  ["SELECT a /*!50000 , 'x*/, f(1), 'y' */ FROM t", 'an end inside a string'],
]);

describeRows('… and are no reads', { kind: 'write', reason: 'not-a-read' }, [
  ['/*!50000 DELETE FROM t */', 'a write'],
  ['/*!40000 ALTER TABLE t DISABLE KEYS */', 'as dumps have it'],
]);
describeRows('text that differs as a whole', { kind: 'other', pin: 'unknown-state' }, [
  ['/*!99999 SELECT 1 */ UPDATE t SET a = 1', 'a write without the comment'],
  ['/*!50000 DO f() */ SELECT 1', 'a read without the comment'],
]);

describeRows('text that does not lex', { reason: 'malformed', pin: 'unknown-state' }, [
  ["SELECT 'a", 'a string that does not end'],
  ['SELECT "a', 'in double quotes'],
  ['SELECT `a', 'a name'],
  ['SELECT 1 /* a', 'a comment'],
  ['SELECT 1 /*! a', 'an executable comment'],
  ["SELECT a /*! , 'x*/, b -- '", 'an executable comment, to a server that reads it'],
  ['SELECT 1 /*/', 'a comment that does not close itself'],
  ["SELECT 'a\\'", 'a quote that is escaped'],
  ['SELECT 1 \\G', 'a backslash outside quotes'],
  ['SELECT 1\0', 'NUL at the end'],
  ['SELECT 1 \0 FOR UPDATE', 'NUL in the text'],
  ['SELECT 1 -- a\0\n', 'NUL in a line comment'],
  ['SELECT 1 --\u007f a', 'a comment to the servers, none to mysql2'],
  ['SELECT 1.5e FROM t', 'an exponent without digits'],
  ['SELECT (1', 'a parenthesis that nothing closes'],
  ['SELECT 1)', 'a parenthesis that nothing opened'],
  ['SELECT 1) + (2', 'as many, in the wrong order'],
]);

describe('words behind a reason', () => {
  const rows: readonly [sql: string, word: string | null, why: string][] = [
    ['SELECT a FROM t FOR UPDATE', 'for', 'the keyword'],
    ['SELECT Price2(1)', 'price2', 'a function in lower case'],
    ['SELECT `Dré`(1)', 'dré', 'without its quotes'],
    ['SELECT db.Fn(1)', 'fn', 'without its database'],
    ["SELECT 'secret'(1)", null, 'never a literal'],
    ['SELECT "secret"(1)', null, 'never what may be one'],
    ['SELECT @MyVar', 'myvar', 'a variable'],
    ['SELECT @`my var`', 'my var', 'a quoted variable'],
    ["SELECT @'secret'", null, 'never a literal'],
    ['SELECT @@Version', 'version', 'a system variable'],
    ['SELECT * FROM `MySQL`.user', 'mysql', 'a schema'],
    ['SELECT * FROM JOB', 'job', 'a table'],
    [`SELECT ${'x'.repeat(80)}(1)`, 'x'.repeat(64), 'at most 64 characters'],
    [`SELECT \`${'X'.repeat(80)}\`(1)`, 'x'.repeat(64), 'at most 64 characters'],
    ['DELETE FROM t', 'delete', 'the first word'],
    ['EXPLAIN DELETE FROM t', 'delete', 'the word that writes'],
  ];
  it.each(rows)('%s → %s: %s', (sql, word) => {
    for (const dialect of dialects) expect(classifiers[dialect].classify(sql).word).toBe(word);
  });
});
