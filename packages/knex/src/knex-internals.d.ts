/** Modules of Knex that its types leave out; `stock.ts` says what they are. */
declare module 'knex/lib/dialects/mysql2/index.js' {
  const client: unknown;
  export default client;
}

declare module 'knex/lib/dialects/mysql2/transaction.js' {
  const transaction: unknown;
  export default transaction;
}

declare module 'knex/lib/execution/runner.js' {
  const runner: unknown;
  export default runner;
}

declare module 'knex/lib/migrations/seed/Seeder.js' {
  const seeder: unknown;
  export default seeder;
}

declare module 'knex/lib/raw.js' {
  const raw: unknown;
  export default raw;
}

declare module 'knex/lib/schema/builder.js' {
  const schemaBuilder: unknown;
  export default schemaBuilder;
}

declare module 'knex/lib/dialects/mysql/query/mysql-querybuilder.js' {
  const queryBuilder: unknown;
  export default queryBuilder;
}
