import { Migrator, MysqlAdapter } from 'kysely-0.28';
import { vi } from 'vitest';
import { describeEssentials } from './essentials.ts';

// The last version before 0.29, for everything that is imported here.
vi.mock('kysely', () => import('kysely-0.28'));

describeEssentials({ name: '0.28.18', MysqlAdapter, Migrator });
