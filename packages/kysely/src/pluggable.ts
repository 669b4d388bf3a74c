import type { KyselyPlugin } from 'kysely';

/** Whatever takes Kysely plugins and gives itself back: databases, transactions, builders, raw SQL. */
export interface Pluggable<T> {
  withPlugin(plugin: KyselyPlugin): T;
}
