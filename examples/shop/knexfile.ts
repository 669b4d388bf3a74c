/** For the app, and for Knex's command line, which takes the one that `NODE_ENV` names. */
import { ReplicatedMysql2 } from '@rwsplit/knex';
import type { Knex } from 'knex';
import { knexSnakeCaseMappers } from 'objection';

const { DB_PRIMARY = '', DB_REPLICAS = '', DB_ANALYTICS = '' } = process.env;

export const production: Knex.Config = {
  client: ReplicatedMysql2,
  connection: DB_PRIMARY,
  replicas: [
    ...DB_REPLICAS.split(','),
    // Takes the reports, and no other reads.
    { uri: DB_ANALYTICS, groups: ['analytics'] },
  ],
  migrations: { directory: './migrations', extension: 'ts' },
  seeds: { directory: './seeds', extension: 'ts' },
  ...knexSnakeCaseMappers(),
};

export const development: Knex.Config = production;
