import { ReplicatedMysqlDialect } from '@rwsplit/kysely';
import { type Generated, Kysely } from 'kysely';

/** What the queue carries; any queue does. */
export interface Job {
  readonly personId: number;
  /** What the job's reads have to see; `null`: nothing in particular. */
  readonly token: string | null;
}

interface Database {
  person: { id: Generated<number>; name: string };
}

/** `DB_PRIMARY` and `DB_REPLICAS` are URLs, those of replicas with commas between. */
export function connect(): Kysely<Database> {
  const { DB_PRIMARY = '', DB_REPLICAS = '' } = process.env;
  return new Kysely<Database>({
    dialect: new ReplicatedMysqlDialect({
      primary: DB_PRIMARY,
      replicas: DB_REPLICAS.split(','),
      // A job has the time to wait for a replica.
      causalWait: 2_000,
    }),
  });
}
