import { sessionPerRequest } from '@rwsplit/knex';
import Knex from 'knex';
import { Model } from 'objection';
import { shop } from './app.ts';
import { production } from './knexfile.ts';

const { PORT = '3000' } = process.env;
const knex = Knex(production);
Model.knex(knex);

// Each request sees what it has written, and what its client's requests before have, by a cookie.
sessionPerRequest({ filter: ({ url }) => url !== '/health', cookie: 'db-position' });

const server = shop(knex).listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${JSON.stringify(server.address())}`);
});

// Requests under way are answered; then the connections are closed.
process.once('SIGTERM', () => {
  // Clients keep the connections of answered requests for seconds.
  server.keepAliveTimeout = 1;
  server.close(() => knex.destroy());
});
