import { Migrator, MysqlAdapter } from 'kysely-oldest';
import { vi } from 'vitest';
import { describeEssentials } from './essentials.ts';

// The oldest version that the package allows, for everything that is imported here.
vi.mock('kysely', () => import('kysely-oldest'));

describeEssentials({ name: '0.28.0', MysqlAdapter, Migrator });
