import type { Knex } from 'knex';

/** Configurations of instances that the user made; Knex gives a migrator a copy of its own. */
const ofUsers = new WeakSet<object>();

/** Copies that migrators work with. */
const ofMigrators = new WeakSet<object>();

/** To be called for each client that the user makes. */
export function noteInstance(config: Knex.Config): void {
  ofUsers.add(config);
}

/**
 * Whether it is a migrator that asks, or one of its migrations: what is there is what the primary has.
 *
 * A migrator reads its own tables, under whatever names, while both hooks are null and not undefined
 * (`disableProcessing` in Knex's make-knex.js), which nothing else sets; it does so before its first migration.
 * That of a transaction works with the instance of the user, and leaves them null; but there, all is on the primary.
 */
export function isMigrating(config: Knex.Config): boolean {
  if (ofUsers.has(config)) {
    return false;
  }
  if (isNull(config.wrapIdentifier) && isNull(config.postProcessResponse)) {
    ofMigrators.add(config);
  }
  return ofMigrators.has(config);
}

function isNull(value: unknown): boolean {
  return value === null;
}
