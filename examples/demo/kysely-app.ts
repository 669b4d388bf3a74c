import { forcePrimary, ReplicatedMysqlDialect } from '@rwsplit/kysely';
import { type Generated, Kysely, sql } from 'kysely';
import type { DemoHosts, Stage } from './stage.ts';

interface Database {
  person: { id: Generated<number>; name: string; age: number };
}

/** A small app on Kysely: what changes is the dialect. */
export async function kyselyApp(hosts: DemoHosts, stage: Stage): Promise<void> {
  const db = new Kysely<Database>({ dialect: new ReplicatedMysqlDialect(hosts) });
  const people = db.selectFrom('person').selectAll();
  // Opens the connections, so that the acts below show nothing but the app's own statements.
  await Promise.all([people.execute(), people.execute(), people.execute()]);

  await stage.show('a query builder', () => people.where('age', '>', 40).execute());
  await stage.show('a common table expression', () =>
    db
      .with('elders', (cte) => cte.selectFrom('person').select('name').where('age', '>', 70))
      .selectFrom('elders')
      .selectAll()
      .execute(),
  );
  await stage.show('raw SQL', () => sql`SELECT MAX(age) AS oldest FROM person`.execute(db));
  await stage.show('an insert, and a read that sees it', async () => {
    const { insertId } = await db
      .insertInto('person')
      .values({ name: 'Radia', age: 73 })
      .executeTakeFirstOrThrow();
    await people.where('id', '=', Number(insertId)).executeTakeFirstOrThrow();
  });
  await stage.show('a whole block of reads on the primary', async () => {
    const primary = forcePrimary(db);
    await primary.selectFrom('person').select('name').execute();
    await sql`SELECT COUNT(*) AS people FROM person`.execute(primary);
  });
  await stage.show('a transaction', () =>
    db.transaction().execute(async (trx) => {
      await trx.selectFrom('person').select('age').where('name', '=', 'Ada').forUpdate().execute();
      await trx.updateTable('person').set({ age: 38 }).where('name', '=', 'Ada').execute();
      await trx.selectFrom('person').select('age').where('name', '=', 'Ada').execute();
    }),
  );
  await stage.show('a connection: it reads, writes, reads', () =>
    db.connection().execute(async (connection) => {
      await connection.selectFrom('person').select('name').where('id', '=', 1).execute();
      await connection.updateTable('person').set({ name: 'Ada L.' }).where('id', '=', 1).execute();
      await connection.selectFrom('person').select('name').where('id', '=', 1).execute();
    }),
  );

  const read200 = async () => {
    for (let read = 0; read < 200; read++) {
      await people.where('id', '=', 1).execute();
    }
  };
  await stage.count('200 reads', read200);
  const [victim] = stage.cluster.replicas;
  await stage.count(`200 reads, ${victim?.name} killed after a few`, async () => {
    const reads = read200();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await victim?.kill();
    await reads;
  });
  await stage.count('200 reads without it', read200);
  await db.destroy();
}
