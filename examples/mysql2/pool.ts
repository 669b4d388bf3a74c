import { createReplicatedPool } from '@rwsplit/core';

const { DB_PRIMARY = '', DB_REPLICAS = '' } = process.env;

/** Where `createPool(…)` of mysql2 was. */
export const pool = createReplicatedPool({
  primary: { uri: DB_PRIMARY, connectionLimit: 5 },
  replicas: DB_REPLICAS.split(','),
});

/** How many connections have been opened, on all hosts, and how often one was waited for. */
export const counts = { connections: 0, waits: 0 };
pool.on('connection', () => {
  counts.connections += 1;
});
pool.on('enqueue', () => {
  counts.waits += 1;
});
