import { createReplicatedPool } from '@rwsplit/core';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import * as schema from './schema.ts';

const { DB_PRIMARY = '', DB_REPLICAS = '' } = process.env;

export const pool = createReplicatedPool({
  primary: DB_PRIMARY,
  replicas: DB_REPLICAS.split(','),
});

/** Drizzle takes it for a pool of `mysql2/promise`. */
export const db = drizzle({ client: pool.promise(), schema, mode: 'default' });

/** What `drizzle-kit` would make of the schema. */
export async function createTables(): Promise<void> {
  await db.execute(sql`CREATE TABLE IF NOT EXISTS list (
    id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80) NOT NULL)`);
  await db.execute(sql`CREATE TABLE IF NOT EXISTS task (
    id INT PRIMARY KEY AUTO_INCREMENT, list_id INT NOT NULL, text VARCHAR(200) NOT NULL,
    is_done BOOLEAN NOT NULL DEFAULT FALSE, due DATETIME, KEY (list_id))`);
}
