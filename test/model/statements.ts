/*
 * The language of the model: everything that a session may say. `{p}` is the prefix of the session's
 * own tables, `{db}` and `{other}` are the databases of its side, `{id}` is a name that no other
 * session uses, `{n}` a small number and `{set}` the number of its tables.
 */

/** Whose answer a statement asks for, which is what it may lose. */
export type Asks = 'insert' | 'previous';

export interface Group {
  readonly name: string;
  /** How often a statement of the group is drawn, against the other groups. */
  readonly weight: number;
  readonly texts: readonly string[];
  readonly asks?: Asks;
  /** Whether a replica must never run one. */
  readonly needsPrimary?: true;
  /** The same for sessions that seldom say what binds them to a connection. */
  readonly lightWeight?: number;
}

/** Whether a statement reads the counters of all sessions. */
export function readsCounters(template: string): boolean {
  return template.endsWith(readCounters) || template === readAgain;
}

/** Whether a statement touches what other sessions touch too. */
export function isShared(template: string): boolean {
  return template === count || template === countWithin || readsCounters(template);
}

/** What has a session lock what it reads: two of them would wait for each other's counters. */
export const locksReads = /SERIALIZABLE/;

/** Adds to the counter of the session. */
const count = 'UPDATE {db}.counter SET n = n + 1 WHERE id = {set}';

/** The same in a short transaction. */
const countWithin = 'UPDATE {db}.counter SET n = n + 1 WHERE {set} = id';

/** Reads the counters of all sessions. What it says for itself is how its event is found. */
const readCounters = "SELECT '{id}' AS who, id, n FROM {db}.counter ORDER BY id";
const readOnPrimary = `/* route:primary */ ${readCounters}`;
const readAgain = "SELECT '{id}' AS who, id, n FROM {db}.counter WHERE n >= 0 ORDER BY id";

const askAll =
  'SELECT ROW_COUNT() AS r, FOUND_ROWS() AS f, LAST_INSERT_ID() AS l, @@warning_count AS w';

/**
 * What follows at once, whatever the plan says. The locks of a prepared transaction are nobody's, and
 * the session's own next statement would wait for them. And a read that comes later finds replicas
 * that have caught up.
 */
export const thenAlways: ReadonlyMap<string, string> = new Map([
  ["XA PREPARE '{id}'", "XA COMMIT '{id}'"],
  [readCounters, readAgain],
  [readOnPrimary, readAgain],
  ['BEGIN WORK', countWithin],
  [countWithin, 'COMMIT WORK'],
  ['COMMIT WORK', readAgain],
  ['SELECT {p}next({n}) AS v', 'SELECT COUNT(*) AS c, MAX(id) AS m FROM {p}note'],
  // Back to the connection of the insert, from a read elsewhere.
  ['INSERT INTO {p}note (item) VALUES ({n})', 'SELECT COUNT(*) AS c FROM {p}note'],
  ['SELECT COUNT(*) AS c FROM {p}note', 'SELECT LAST_INSERT_ID() AS id'],
  ['INSERT INTO {p}note (item) VALUES ({n}), ({n})', 'SELECT MIN(id) AS m FROM {p}note'],
  ['SELECT MIN(id) AS m FROM {p}note', askAll],
]);

/** What leaves something in its session, which the next lone statement must not meet. */
export const leavesState =
  /^(BEGIN|START|SET|(COMMIT|ROLLBACK) AND|CREATE TEMPORARY|LOCK|PREPARE|USE|HANDLER menu|XA START|CALL)|\bGET_LOCK|@[xn]\b/;

export const groups: readonly Group[] = [
  {
    name: 'static reads',
    weight: 30,
    lightWeight: 16,
    texts: [
      'SELECT id, name, price FROM menu ORDER BY id',
      'SELECT id FROM menu WHERE price > {n} ORDER BY id LIMIT 2',
      'SELECT COUNT(*) AS c FROM menu',
      'SELECT name FROM menu WHERE id = ?',
      'SELECT name FROM menu WHERE id > ? ORDER BY id',
      'SELECT id FROM menu WHERE id > 100',
      '(SELECT id FROM menu WHERE id < {n}) UNION ALL (SELECT 70 AS id) ORDER BY id LIMIT 3',
      // With warnings, which SHOW WARNINGS must find on the replica.
      'SELECT 1 / 0 AS x',
      "SELECT CAST('{n}x' AS SIGNED) AS x",
      "SELECT id FROM menu WHERE name = 'tea' + {n} ORDER BY id",
      // What they mean depends on session variables.
      'SELECT "tea" AS q',
      'SELECT 2 || 0 AS x',
      "SELECT 'a\\\\b' AS x",
      'SELECT HOUR(FROM_UNIXTIME(3600)) AS h',
      'SELECT 10 / 3 AS x',
      'SELECT GROUP_CONCAT(name ORDER BY id) AS g FROM menu',
    ],
  },
  {
    name: 'own reads',
    weight: 12,
    lightWeight: 16,
    texts: [
      'SELECT id, tag, name, amount FROM {p}item ORDER BY id',
      'SELECT COUNT(*) AS c, SUM(amount) AS s FROM {p}item',
      'SELECT id FROM {p}item WHERE amount > {n} ORDER BY id LIMIT 2',
      'SELECT id, tag FROM {p}item WHERE id IS NULL',
      'SELECT COUNT(*) AS c, SUM(item) AS s FROM {p}note',
      'SELECT i.id, n.item FROM {p}item i JOIN {p}note n ON n.item = i.tag ORDER BY i.id, n.id',
      'SELECT id FROM {p}item WHERE tag = {n} FOR UPDATE',
      'SELECT COUNT(*) AS c FROM {p}extra',
    ],
  },
  {
    name: 'counters',
    weight: 12,
    lightWeight: 16,
    texts: [count, readCounters, readCounters, readCounters, readOnPrimary],
  },
  {
    name: 'counted reads',
    weight: 4,
    needsPrimary: true,
    texts: [
      'SELECT SQL_CALC_FOUND_ROWS id FROM menu ORDER BY id LIMIT {n}',
      'SELECT SQL_CALC_FOUND_ROWS name FROM menu WHERE id > {n} ORDER BY id LIMIT 1',
    ],
  },
  {
    name: 'inserts',
    weight: 14,
    lightWeight: 16,
    needsPrimary: true,
    texts: [
      "INSERT INTO {p}item (name, amount) VALUES ('new', {n})",
      "INSERT INTO {p}item (name) VALUES ('a'), ('b'), ('c')",
      'INSERT INTO {p}item (tag, amount) VALUES ({n}, 1)',
      "INSERT INTO {p}item (id, name) VALUES ({set}0{n}, 'own')",
      "INSERT IGNORE INTO {p}item (tag, name) VALUES ({n}, 'much too long'), ({n}, 'b')",
      "INSERT INTO {p}item (name) VALUES ('much too long')",
      'INSERT INTO {p}item (tag, amount) VALUES ({n}, 1) ON DUPLICATE KEY UPDATE amount = amount + 1',
      'INSERT INTO {p}item (tag) VALUES ({n}) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)',
      'REPLACE INTO {p}item (tag, amount) VALUES ({n}, 9)',
      'INSERT INTO {p}note (item) SELECT id FROM menu WHERE id <= {n}',
      'INSERT INTO {p}note (item) VALUES (?)',
      'INSERT INTO {p}note (item) VALUES ({n})',
      'INSERT INTO {p}note (item) VALUES ({n}), ({n})',
    ],
  },
  {
    name: 'changes',
    weight: 6,
    lightWeight: 6,
    needsPrimary: true,
    texts: [
      'UPDATE {p}item SET amount = amount + 1 WHERE amount > {n}',
      'UPDATE {p}item SET amount = amount',
      'UPDATE {p}item SET amount = {n} WHERE id = -1',
      'UPDATE {p}item SET name = CONCAT(name, {n}) WHERE tag = {n}',
      'UPDATE {p}item SET amount = LAST_INSERT_ID(amount + 1) WHERE tag = {n}',
      'DELETE FROM {p}item WHERE tag = {n}',
      'DELETE FROM {p}note ORDER BY id LIMIT {n}',
      'DELETE FROM {p}note WHERE item = ?',
    ],
  },
  {
    name: 'transactions',
    weight: 14,
    needsPrimary: true,
    texts: [
      'BEGIN',
      'START TRANSACTION',
      'START TRANSACTION READ ONLY',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT',
      'COMMIT',
      'COMMIT',
      'COMMIT AND CHAIN',
      'ROLLBACK',
      'ROLLBACK AND CHAIN',
      'SAVEPOINT a',
      'SAVEPOINT b',
      'ROLLBACK TO SAVEPOINT a',
      'RELEASE SAVEPOINT a',
      'SET autocommit = 0',
      'SET autocommit = 1',
      'SET TRANSACTION READ ONLY',
      'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
      'SET SESSION TRANSACTION READ ONLY',
      'SET SESSION TRANSACTION READ WRITE',
      'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
      'SET completion_type = 1',
      'SET completion_type = 0',
    ],
  },
  {
    name: 'short transactions',
    weight: 2,
    needsPrimary: true,
    lightWeight: 4,
    texts: ['BEGIN WORK'],
  },
  {
    name: 'writes that look like reads',
    weight: 2,
    needsPrimary: true,
    lightWeight: 3,
    texts: ['SELECT {p}next({n}) AS v'],
  },
  {
    name: 'definitions',
    weight: 2,
    needsPrimary: true,
    texts: [
      'CREATE TABLE IF NOT EXISTS {p}extra (id INT PRIMARY KEY AUTO_INCREMENT)',
      'DROP TABLE IF EXISTS {p}extra',
      'INSERT INTO {p}extra VALUES (NULL)',
      'TRUNCATE TABLE {p}note',
    ],
  },
  {
    name: 'user variables',
    weight: 8,
    texts: [
      'SET @x = {n}',
      'SET @x = {n}, @y = @x + 1',
      'SELECT @x AS x',
      'SELECT @x AS x, @y AS y, @n AS n',
      'SELECT @x := @x + 1 AS x',
      'SELECT id INTO @x FROM menu WHERE id = {n}',
      'SELECT @x := id AS x FROM menu ORDER BY id LIMIT {n}',
      'SELECT name FROM menu WHERE id = @x',
      'INSERT INTO {p}note (item) VALUES (@x)',
    ],
  },
  {
    name: 'session variables',
    weight: 8,
    texts: [
      'SET SESSION max_sort_length = 7{n}',
      "SET sql_mode = ''",
      "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
      'SET sql_mode = DEFAULT',
      "SET time_zone = '+0{n}:00'",
      'SET @@session.sql_select_limit = {n}',
      'SET sql_auto_is_null = 1',
      'SET sql_notes = 0',
      'SET @@max_error_count = {n}',
      'SET last_insert_id = {n}',
      'SET insert_id = {set}9{n}',
      'SET timestamp = 86400{n}',
      'SET NAMES latin1',
      'SET div_precision_increment = {n}',
      'SELECT @@max_sort_length AS v, @@group_concat_max_len AS w, @app AS app',
      'SELECT @@sql_mode AS v',
      'SELECT @@time_zone AS v, @@sql_notes AS w',
      'SELECT @@autocommit AS v',
      'SELECT UNIX_TIMESTAMP() < 99999999 AS v',
      'SELECT @@session.sql_select_limit AS v, @@character_set_client AS c, @@max_error_count AS m',
    ],
  },
  {
    name: 'temporary tables',
    weight: 6,
    texts: [
      'CREATE TEMPORARY TABLE scratch (id INT PRIMARY KEY AUTO_INCREMENT, v INT)',
      'CREATE TEMPORARY TABLE IF NOT EXISTS scratch (id INT PRIMARY KEY AUTO_INCREMENT, v INT)',
      // It hides a table that the replicas have.
      'CREATE TEMPORARY TABLE menu (id INT, name VARCHAR(9), price INT)',
      'INSERT INTO scratch (v) VALUES ({n}), ({n})',
      'SELECT * FROM scratch ORDER BY id',
      'DROP TEMPORARY TABLE scratch',
      'DROP TEMPORARY TABLE IF EXISTS menu',
      'DROP TEMPORARY TABLE IF EXISTS scratch, menu',
    ],
  },
  {
    name: 'user locks',
    weight: 6,
    needsPrimary: true,
    texts: [
      "SELECT GET_LOCK('{id}a', 0) AS g",
      "SELECT GET_LOCK('{id}b', 0) AS g",
      "DO GET_LOCK('{id}b', 0)",
      "SELECT RELEASE_LOCK('{id}a') AS r",
      "DO RELEASE_LOCK('{id}b')",
      'SELECT RELEASE_ALL_LOCKS() AS r',
      "SELECT IS_USED_LOCK('{id}a') IS NULL AS u, IS_FREE_LOCK('{id}b') AS f",
      "SELECT IS_USED_LOCK('{id}a') = CONNECTION_ID() AS mine",
    ],
  },
  {
    name: 'table locks',
    weight: 3,
    needsPrimary: true,
    texts: [
      'LOCK TABLES {p}item WRITE',
      'LOCK TABLES {p}item WRITE, menu READ, {p}note WRITE',
      'UNLOCK TABLES',
      'UNLOCK TABLES',
    ],
  },
  {
    name: 'prepared by text',
    weight: 6,
    needsPrimary: true,
    texts: [
      "PREPARE p1 FROM 'SELECT id FROM menu WHERE id > ? ORDER BY id'",
      "PREPARE p1 FROM 'INSERT INTO {p}item (amount) VALUES (?)'",
      "PREPARE p2 FROM 'SELECT @x := {n} AS x'",
      'EXECUTE p1 USING @x',
      'EXECUTE p2',
      'DEALLOCATE PREPARE p1',
      'DROP PREPARE p2',
    ],
  },
  {
    name: 'databases',
    weight: 3,
    texts: ['USE {other}', 'USE {db}', 'SELECT DATABASE() AS d', 'SELECT name FROM {other}.menu'],
  },
  {
    name: 'handlers',
    weight: 4,
    needsPrimary: true,
    texts: [
      'HANDLER menu OPEN AS h',
      'HANDLER h READ FIRST',
      'HANDLER h READ NEXT LIMIT {n}',
      'HANDLER h CLOSE',
    ],
  },
  {
    name: 'XA',
    weight: 4,
    needsPrimary: true,
    texts: [
      "XA START '{id}'",
      "XA END '{id}'",
      "XA PREPARE '{id}'",
      "XA COMMIT '{id}'",
      "XA COMMIT '{id}' ONE PHASE",
      "XA ROLLBACK '{id}'",
    ],
  },
  {
    name: 'routines',
    weight: 6,
    texts: [
      'CALL set_x({n})',
      'CALL {p}add({n})',
      'CALL {p}list()',
      "CALL take_lock('{id}a')",
      'CALL {p}begin()',
      'SELECT twice(price) AS t FROM menu WHERE id = {n}',
    ],
  },
  {
    name: 'failures',
    weight: 6,
    texts: [
      'INSERT INTO {p}item (id) VALUES ({set}01)',
      "INSERT INTO {p}item (tag, name) VALUES (90, 'x'), (90, 'y')",
      'SELECT * FROM no_such_table',
      'UPDATE no_such_table SET a = 1',
      'SELEC 1',
      'SELECT FROM',
      "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'mine'",
      'SELECT no_such_column FROM menu',
      'DO 1 / 0',
    ],
  },
  {
    name: 'last insert',
    weight: 12,
    lightWeight: 20,
    asks: 'insert',
    texts: [
      'SELECT LAST_INSERT_ID() AS id',
      'SELECT LAST_INSERT_ID() AS id',
      'SELECT @@identity AS id',
      'SELECT @@session.last_insert_id AS id',
      'INSERT INTO {p}note (item) VALUES (LAST_INSERT_ID())',
      'UPDATE {p}item SET amount = amount + 1 WHERE id = LAST_INSERT_ID()',
      'SELECT id, name FROM {p}item WHERE id = LAST_INSERT_ID()',
      'SELECT @x := LAST_INSERT_ID() AS x',
      'SET @n = LAST_INSERT_ID()',
    ],
  },
  {
    name: 'previous statement',
    weight: 24,
    lightWeight: 14,
    asks: 'previous',
    texts: [
      'SELECT FOUND_ROWS() AS f',
      'SELECT FOUND_ROWS() AS f',
      'SELECT ROW_COUNT() AS r',
      'SELECT ROW_COUNT() AS r',
      'SHOW WARNINGS',
      'SHOW WARNINGS',
      'SHOW WARNINGS LIMIT 1',
      'SHOW ERRORS',
      'SHOW COUNT(*) WARNINGS',
      'SHOW COUNT(*) ERRORS',
      'SELECT @@warning_count AS w',
      'SELECT @@session.error_count AS e',
      'GET DIAGNOSTICS @n = ROW_COUNT',
      'GET DIAGNOSTICS CONDITION 1 @n = MYSQL_ERRNO',
      askAll,
      'SELECT @n := FOUND_ROWS() AS n',
      'SET @n = ROW_COUNT()',
      'INSERT INTO {p}note (item) VALUES (FOUND_ROWS())',
      'INSERT INTO {p}note (item) SELECT ROW_COUNT()',
      'SELECT id FROM menu WHERE id = FOUND_ROWS()',
    ],
  },
];

/** What a statement asks about that follows another. */
export function asksOf(template: string): Asks | null {
  return groups.find(({ texts }) => texts.includes(template))?.asks ?? null;
}
