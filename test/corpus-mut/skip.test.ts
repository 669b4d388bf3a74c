import { describe, expect, it } from 'vitest';
import { whySkipped, withoutLeadingComments } from './skip.ts';

describe('what is not replayed', () => {
  it.each([
    ['SHUTDOWN', 'ends the server'],
    ['/* now */ shutdown', 'ends the server'],
    ['KILL QUERY 5', 'ends a session'],
    ['SET SESSION wait_timeout = 1', 'ends a session'],
    ['COMMIT AND NO CHAIN RELEASE', 'releases the session'],
    ['SET GLOBAL read_only = 1', 'changes the server'],
    ['SET @@global.read_only = 1', 'changes the server'],
    ['SET @a = 1, @@GLOBAL.sql_mode = DEFAULT', 'changes the server'],
    ['FLUSH TABLES WITH READ LOCK', 'changes the server'],
    ['INSTALL PLUGIN a SONAME "a.so"', 'changes the server'],
    ['CREATE UNDO TABLESPACE u ADD DATAFILE "u.ibu"', 'changes the server'],
    ['STOP REPLICA', 'replication'],
    ['CHANGE MASTER TO MASTER_HOST = "h"', 'replication'],
    ['GRANT ALL ON *.* TO a', 'accounts'],
    ['DROP USER rwsplit_admin', 'accounts'],
    ['XA START "a"', 'XA'],
    ['DELETE FROM mysql.user', 'system tables'],
    ['USE mysql', 'system tables'],
    ['DROP DATABASE sys', 'system tables'],
    ['SELECT 1 INTO OUTFILE "/tmp/x"', 'files'],
    ["CREATE TABLE t (a INT) DATA DIRECTORY = '/tmp'", 'files'],
    ['CREATE FUNCTION f RETURNS INT SONAME "f.so"', 'loadable functions'],
    ['SELECT SLEEP(100)', 'long'],
    ["SELECT GET_LOCK('a', 100)", 'long'],
    ["SELECT '\ufffd'", 'odd characters'],
  ])('%s: %s', (sql, why) => {
    expect(whySkipped(sql)).toBe(why);
  });

  it.each([
    'SELECT * FROM mysql.user',
    'SET sql_mode = ""',
    'SET SESSION TRANSACTION READ ONLY',
    'CREATE TEMPORARY TABLE t (a INT)',
    'SELECT SLEEP(0)',
    'RELEASE SAVEPOINT a',
    'COMMIT',
    "SELECT GET_LOCK('a', 0)",
    'USE test',
    'DROP DATABASE mysqltest',
  ])('but %s', (sql) => {
    expect(whySkipped(sql)).toBeUndefined();
  });

  it.each([
    ['/* a */ -- b\n# c\n  SELECT 1', 'SELECT 1'],
    ['/*! SELECT */ 1', 'SELECT */ 1'],
    ['/*!50000 SELECT */ 1', 'SELECT */ 1'],
    ['/*M!100000 SELECT */ 1', 'SELECT */ 1'],
    ['(SELECT 1)', '(SELECT 1)'],
  ])('sees %s as %s', (sql, text) => {
    expect(withoutLeadingComments(sql)).toBe(text);
  });
});
