/**
 * Notes, with Express and Knex: who saves one sees it, in this request and in the next, although reads
 * run on replicas. `DB_PRIMARY` and `DB_REPLICAS` are URLs, those of replicas with commas between.
 */
import { ReplicatedMysql2, sessionPerRequest } from '@rwsplit/knex';
import express from 'express';
import Knex from 'knex';

const { DB_PRIMARY = '', DB_REPLICAS = '', PORT = '3000' } = process.env;
const knex = Knex({
  client: ReplicatedMysql2,
  connection: DB_PRIMARY,
  replicas: DB_REPLICAS.split(','),
});
await knex.raw(
  'CREATE TABLE IF NOT EXISTS note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(200))',
);

sessionPerRequest({
  filter: ({ url }) => url !== '/health',
  cookie: 'db-position',
});

const app = express();
app.use(express.json());

app.post('/notes', async (request, response) => {
  const [id] = await knex('note').insert({ text: request.body.text });
  // On a replica that has it by now, else on the primary. The answer takes the cookie along.
  response.status(201).json(await knex('note').where({ id }).first());
});

app.get('/notes/:id', async (request, response) => {
  const note = await knex('note').where({ id: request.params.id }).first();
  response.status(note === undefined ? 404 : 200).json(note ?? null);
});

app.get('/health', (_request, response) => {
  response.send('fine');
});

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${JSON.stringify(server.address())}`);
});

process.once('SIGTERM', () => {
  server.close(() => knex.destroy());
});
