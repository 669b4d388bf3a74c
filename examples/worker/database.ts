import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import { type Generated, Kysely, sql } from 'kysely';

export interface Database {
  expense: { id: Generated<number>; person: string; month: string; cents: number };
  report: { id: number; person: string; month: string; count: number; cents: number };
  job: JobTable;
}

export interface JobTable {
  id: Generated<number>;
  kind: string;
  /** JSON. */
  payload: string;
  /** What the job has to see: what the request that made it has seen to by then. */
  token: string | null;
  /** How often it has been begun. */
  attempts: Generated<number>;
  /** When it may be begun, again if it is not done by then; `null`: never again. */
  due: Date | null;
  state: Generated<'open' | 'done' | 'failed'>;
  error: string | null;
}

/** `DB_PRIMARY` and `DB_REPLICAS` are URLs, those of replicas with commas between. */
export function connect(causalWait = 50): Kysely<Database> {
  const { DB_PRIMARY = '', DB_REPLICAS = '' } = process.env;
  const replicas = DB_REPLICAS.split(',');
  return new Kysely<Database>({
    dialect: new ReplicatedMysqlDialect({ primary: DB_PRIMARY, replicas, causalWait }),
  });
}

/** Whoever comes first creates the tables; a larger app has migrations: see the blog. */
export async function createTables(db: Kysely<Database>): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS expense (
    id INT PRIMARY KEY AUTO_INCREMENT, person VARCHAR(40) NOT NULL, month CHAR(7) NOT NULL,
    cents INT NOT NULL, KEY (person, month))`.execute(db);
  await sql`CREATE TABLE IF NOT EXISTS report (
    id INT PRIMARY KEY, person VARCHAR(40) NOT NULL, month CHAR(7) NOT NULL,
    count INT NOT NULL, cents INT NOT NULL)`.execute(db);
  await sql`CREATE TABLE IF NOT EXISTS job (
    id INT PRIMARY KEY AUTO_INCREMENT, kind VARCHAR(40) NOT NULL, payload TEXT NOT NULL,
    token VARCHAR(1000), attempts INT NOT NULL DEFAULT 0, due DATETIME(3),
    state VARCHAR(10) NOT NULL DEFAULT 'open', error TEXT, KEY (due))`.execute(db);
}
