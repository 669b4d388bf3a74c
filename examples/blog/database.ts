import { ReplicatedMysqlDialect, routeOf } from '@rwsplit/kysely';
import { type Generated, Kysely, type LogEvent } from 'kysely';

export interface Database {
  post: {
    id: Generated<number>;
    slug: string;
    title: string;
    body: string;
    published_at: Date | null;
  };
  tag: { post_id: number; name: string };
}

/** `DB_PRIMARY` and `DB_REPLICAS` are URLs, those of replicas with commas between. */
const { DB_PRIMARY = '', DB_REPLICAS = '', SLOW_QUERY = '500' } = process.env;

export const dialect = new ReplicatedMysqlDialect({
  primary: DB_PRIMARY,
  replicas: DB_REPLICAS.split(','),
});

export const db = new Kysely<Database>({ dialect, log });

/** Taken from requests, and sent with responses. With requests of our own, we send it ourselves. */
export const positionHeader = 'x-db-position';

/** Who ran what took long or failed, and why there. The text has placeholders: no values. */
function log(event: LogEvent): void {
  const { level, query, queryDurationMillis } = event;
  if (level === 'query' && queryDurationMillis < Number(SLOW_QUERY)) {
    return;
  }
  const { host, role, reason, waited } = routeOf(query) ?? {};
  const took = Math.round(queryDurationMillis);
  console.log(JSON.stringify({ level, sql: query.sql, took, host, role, reason, waited }));
}
