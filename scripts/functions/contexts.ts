import type { Connection } from 'mysql2/promise';
import { createDecoys, dropDecoys, reachesDecoy } from './hijack.ts';
import { onEach, type Server, spread } from './server.ts';

/**
 * Texts with a word and a parenthesis, `f(`, wherever the grammar has an expression, a clause with
 * parentheses, or something else before one. `t` has rows, so that what it selects is executed.
 */
const texts = `
  SELECT f(1)
  SELECT f (1)
  SELECT f()
  SELECT f(*) FROM t
  SELECT f(DISTINCT a) FROM t
  SELECT f(a AS b) FROM t
  SELECT f(SELECT 1)
  SELECT f((SELECT 1))
  SELECT f((VALUES (1)))
  SELECT f(VALUES(a)) FROM t
  SELECT f(a, 'x' COLUMNS (b INT PATH '$')) FROM t
  SELECT 1, f (1)
  SELECT 1 f(1)
  SELECT a f(1) FROM t
  SELECT (1) f(1)
  SELECT 'a' f(1)
  SELECT 1 f (1) f (1)
  SELECT a AS f(1) FROM t
  SELECT x.f(1)
  SELECT (1 + f(1))
  SELECT - f(1), ~ f(1), ! f(1)
  SELECT NOT f(1)
  SELECT 1 DIV f(1)
  SELECT 1 XOR f(1), 1 AND f(1), 1 OR f(1)
  SELECT 1 IS f(1)
  SELECT BINARY f(1)
  SELECT TIMESTAMP f(1)
  SELECT ROW(1, f(1)) = ROW(1, 2)
  SELECT 1 = ANY (SELECT f(1))
  SELECT EXISTS (SELECT f(1))
  SELECT IF(1, f(1), 1)
  SELECT CASE WHEN f(1) THEN f(1) END
  SELECT CASE f(1) WHEN f(1) THEN 1 ELSE f(1) END
  SELECT INTERVAL f(1) DAY + NOW()
  SELECT DATE_ADD(NOW(), INTERVAL f(1) DAY)
  SELECT EXTRACT(DAY FROM f(1))
  SELECT TRIM('a' FROM f(1))
  SELECT POSITION(1 IN f(1))
  SELECT CONVERT(f(1), CHAR)
  SELECT CONVERT(1, f(1))
  SELECT CAST(1 AS f(1))
  SELECT CHAR(1 USING f(1))
  SELECT GROUP_CONCAT(f(1) ORDER BY f(1)) FROM t
  SELECT MATCH(a) f(1) FROM t
  SELECT a BETWEEN f(1) AND f(2) FROM t
  SELECT a LIKE f(1) FROM t
  SELECT a LIKE 'a' ESCAPE f(1) FROM t
  SELECT 'a' REGEXP f(1), 'a' SOUNDS LIKE f(1)
  SELECT a IN (f(1)) FROM t
  SELECT a COLLATE f(1) FROM t
  SELECT f(1) OVER () FROM t
  SELECT SUM(a) OVER (PARTITION BY f(1)) FROM t
  SELECT a FROM t WINDOW w AS (ORDER BY f(1))
  SELECT DISTINCT f(1) FROM t
  SELECT ALL f(1) FROM t
  SELECT SQL_NO_CACHE f(1) FROM t
  SELECT DISTINCT SQL_NO_CACHE f(1) FROM t
  SELECT COUNT(DISTINCT f(1)) FROM t
  SELECT HIGH_PRIORITY f(1) FROM t
  SELECT SQL_BIG_RESULT SQL_SMALL_RESULT f(1) FROM t
  SELECT 1 FROM t WHERE f(1)
  SELECT 1 FROM t GROUP BY f(1)
  SELECT 1 FROM t GROUP BY a, f(1)
  SELECT a FROM t HAVING f(1)
  SELECT a FROM t ORDER BY a, f(a)
  SELECT 1 FROM t LIMIT f(1)
  SELECT 1 FROM t FETCH FIRST f(1) ROWS ONLY
  SELECT 1 FROM t FOR SYSTEM_TIME AS OF f(1)
  SELECT * FROM f(1)
  SELECT * FROM t, f(1)
  SELECT * FROM t JOIN f(1)
  SELECT * FROM t JOIN t AS u ON f(1)
  SELECT 1 UNION SELECT f(1)
  SELECT MEMBER f(1)
  SELECT GROUPING f(1)
  SELECT CURRENT f(1)
  TABLE t ORDER BY f(1)
  VALUES ROW(f(1))
  VALUES (f(1))
`;

/** `f(` with a name of its own in each of the texts. */
export const contexts: readonly ((name: string) => string)[] = texts
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '')
  .map((text) => (name) => text.replace(/\bf(?= ?\()/g, name));

/**
 * Texts that `isSafe` lets through and that run a stored function.
 *
 * @param share One in this many texts is tried: others for each name.
 */
export async function findReached(
  server: Server,
  names: readonly string[],
  isSafe: (sql: string) => boolean,
  sqlMode: string,
  share: number,
): Promise<string[]> {
  const reached: string[] = [];
  await createDecoys(server, names, 1);
  await onEach(server, 'CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS a UNION SELECT 2');
  await onEach(server, `SET SESSION sql_mode = ${sqlMode}`);
  await spread(server, names.entries(), async (connection, [index, name]) => {
    const tried = contexts.filter((_, at) => (at + index) % share === 0);
    reached.push(
      ...(await reachedAmong(connection, tried.map((context) => context(name)).filter(isSafe))),
    );
  });
  await onEach(server, 'SET SESSION sql_mode = DEFAULT');
  await dropDecoys(server, 1);
  return reached;
}

async function reachedAmong(connection: Connection, texts: readonly string[]): Promise<string[]> {
  const reached: string[] = [];
  for (const text of texts) if (await reachesDecoy(connection, text)) reached.push(text);
  return reached;
}
