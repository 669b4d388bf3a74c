/** Brings the tables up to date: on the primary, and nobody has to say so. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import { db } from './database.ts';

const migrationFolder = fileURLToPath(new URL('migrations', import.meta.url));
const provider = new FileMigrationProvider({ fs, path, migrationFolder });
const { error, results = [] } = await new Migrator({ db, provider }).migrateToLatest();
for (const { migrationName, status } of results) {
  console.log(`${migrationName}: ${status}`);
}
await db.destroy();
if (error !== undefined) {
  throw error;
}
