import { describe, expect, it } from 'vitest';
import { endsTransaction } from '../../../packages/core/src/session/implicit-commit.ts';
import { dialects, type Row } from '../statement/rows.ts';
import { says } from './states.ts';

function rows(title: string, expected: boolean, each: readonly Row[]): void {
  describe(title, () => {
    it.each(each)('%s: %s', (sql) => {
      for (const dialect of dialects) {
        expect(endsTransaction(says(sql, dialect)), dialect).toBe(expected);
      }
    });
  });
}

// MySQL manual, "Statements That Cause an Implicit Commit"; each was run on both servers.
rows('ends a transaction', true, [
  ['BEGIN', 'it commits the one before'],
  ['START TRANSACTION WITH CONSISTENT SNAPSHOT', 'so does its long form'],
  ['COMMIT', 'it says so'],
  ['COMMIT AND CHAIN', 'and begins the next one'],
  ['ROLLBACK', 'it says so'],
  ['ALTER TABLE t ADD a INT', 'DDL'],
  ['ALTER TABLE t ANALYZE PARTITION p', 'DDL that answers with rows'],
  ['ANALYZE TABLE t', 'it answers with rows'],
  ['CHANGE MASTER TO MASTER_PORT = 1', 'replication'],
  ['CHECK TABLE t', 'it answers with rows'],
  ['CREATE TABLE t (a INT)', 'DDL'],
  ['CREATE TABLE t AS SELECT 1 AS a', 'DDL'],
  ['CREATE USER u', 'accounts'],
  ['DROP TABLE t', 'DDL'],
  ['DROP TABLE IF EXISTS t', 'DDL'],
  ['FLUSH TABLES', 'FLUSH'],
  ['FLUSH TABLES WITH READ LOCK', 'FLUSH that locks'],
  ['GRANT SELECT ON *.* TO u', 'accounts'],
  ["INSTALL PLUGIN p SONAME 'x'", 'plugins'],
  ['LOCK TABLES t READ', 'locks'],
  ['OPTIMIZE TABLE t', 'it answers with rows'],
  ['RENAME TABLE t TO u', 'DDL'],
  ['REPAIR TABLE t', 'it answers with rows'],
  ['RESET MASTER', 'replication'],
  ['REVOKE SELECT ON *.* FROM u', 'accounts'],
  ['START SLAVE', 'replication'],
  ['STOP SLAVE', 'replication'],
  ['TRUNCATE TABLE t', 'DDL'],
  ['UNINSTALL PLUGIN p', 'plugins'],
]);

rows('ends none', false, [
  ['SELECT 1', 'a read'],
  ['SELECT a FROM t LOCK IN SHARE MODE', 'a read whose word is one of them'],
  ['SELECT a FROM t FOR UPDATE', 'a locking read'],
  ['EXPLAIN SELECT 1', 'a plan'],
  ['INSERT INTO t VALUES (1)', 'DML'],
  ['ANALYZE UPDATE t SET a = 1', 'DML that MariaDB runs and explains: measured'],
  ["LOAD DATA INFILE 'x' INTO TABLE t", 'only NDB commits here: measured'],
  ['CACHE INDEX t IN hot', 'MariaDB does not commit here: measured'],
  ['CALL p()', 'what it does, the status flags tell'],
  ['DO 0', 'nothing'],
  ['SHOW CREATE TABLE t', 'SHOW'],
  ['SAVEPOINT s', 'a part of it'],
  ['ROLLBACK TO s', 'back to a part of it'],
  ['RELEASE SAVEPOINT s', 'a part of it'],
  ['SET @a = 1', 'SET; that of autocommit, the status flags tell'],
  ['SET TRANSACTION READ ONLY', 'it is about the next one'],
  ['CREATE TEMPORARY TABLE t (a INT)', 'a temporary table: the manual makes it an exception'],
  ['DROP TEMPORARY TABLE t', 'and its end'],
  ['DROP TEMPORARY TABLE t, ??', 'also where nobody sees which'],
  ["PREPARE s FROM 'SELECT 1'", 'a prepared statement'],
  ['USE db', 'a database'],
  ['UNLOCK TABLES', 'only if tables are locked: the status flags tell'],
  ["XA COMMIT 'x'", 'a branch'],
  ['GET DIAGNOSTICS @n = NUMBER', 'a question'],
  ['CHECKSUM TABLE t', 'measured'],
  ['', 'nothing'],
]);
