import type { FunctionTable } from '../../packages/core/src/statement/functions/table.ts';

/** How the pure functions of other versions differ from those of the servers that were asked. */
export interface VersionDifference {
  readonly dialect: FunctionTable['dialect'];
  /** `'since'`: built in from this version on; `'until'`: no longer. */
  readonly change: 'since' | 'until';
  readonly version: string;
  readonly names: string;
  /** Where it is documented: no server of that version was asked. */
  readonly source: string;
}

const mysqlManual = 'MySQL Reference Manual, Built-In Function and Operator Reference';

export const versionDifferences: readonly VersionDifference[] = [
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.11',
    names: `cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
      row_number`,
    source: `${mysqlManual}, 8.0: introduced before the first general release`,
  },
  {
    dialect: 'mysql',
    change: 'since',
    version: '8.0.21',
    names: 'json_value',
    source: `${mysqlManual}, 8.0`,
  },
  {
    dialect: 'mysql',
    change: 'until',
    version: '9.6.0',
    names: 'md5 sha sha1',
    source: 'MySQL 9.6 Release Notes: moved to the component classic_hashing',
  },
];
