import { MysqlAdapter } from 'kysely';
import { Migrator } from 'kysely/migration';
import { describeEssentials } from './essentials.ts';

describeEssentials({ name: '0.29', MysqlAdapter, Migrator });
