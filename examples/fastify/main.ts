/**
 * Two services on one database, with Fastify and Kysely: one takes orders and asks the other one to
 * bill them. A header tells that one, which reads on replicas, what it has to see. `DB_PRIMARY` and
 * `DB_REPLICAS` are URLs, those of replicas with commas between.
 */
import { currentSession, ReplicatedMysqlDialect, sessionPerRequest } from '@rwsplit/kysely';
import { fastify } from 'fastify';
import { type Generated, Kysely, sql } from 'kysely';

interface Database {
  purchase: { id: Generated<number>; item: string; price: number };
}

const { DB_PRIMARY = '', DB_REPLICAS = '', PORT = '3000' } = process.env;
const db = new Kysely<Database>({
  dialect: new ReplicatedMysqlDialect({ primary: DB_PRIMARY, replicas: DB_REPLICAS.split(',') }),
});
await sql`CREATE TABLE IF NOT EXISTS purchase
  (id INT PRIMARY KEY AUTO_INCREMENT, item VARCHAR(40), price INT)`.execute(db);

/** Taken from requests, and sent with responses. With requests of our own, we send it ourselves. */
const header = 'x-db-position';
sessionPerRequest({ header });

const billing = fastify();
billing.post<{ Params: { id: string } }>('/bills/:id', async ({ params }) => {
  const { item, price } = await db
    .selectFrom('purchase')
    .select(['item', 'price'])
    .where('id', '=', Number(params.id))
    .executeTakeFirstOrThrow();
  return { text: `${item}: ${price} €` };
});
const billingUrl = await billing.listen({ host: '127.0.0.1', port: 0 });

const shop = fastify();
shop.post<{ Body: { item: string; price: number } }>('/purchases', async ({ body }) => {
  const { insertId } = await db.insertInto('purchase').values(body).executeTakeFirstOrThrow();
  const response = await fetch(`${billingUrl}/bills/${insertId}`, {
    method: 'POST',
    headers: { [header]: currentSession()?.token() ?? '' },
  });
  return { id: Number(insertId), bill: await response.json() };
});
console.log(`listening on ${await shop.listen({ host: '127.0.0.1', port: Number(PORT) })}`);

process.once('SIGTERM', async () => {
  await shop.close();
  await billing.close();
  await db.destroy();
});
