import { check, problemsOf } from '../config/checks.ts';
import { nameProblems } from '../config/names.ts';
import { routingChecks } from '../config/options.ts';
import { optionsError } from '../config/parse.ts';
import type { ClassifierOptions } from '../statement/classifier.ts';
import { versionNumber } from '../statement/functions/table.ts';

/** Options of {@link explain}: what a pool would be told, or find out by itself. */
export interface ExplainOptions {
  /**
   * The SQL dialect of the servers. Without it, only what is safe in both dialects is safe.
   *
   * @default unknown
   */
  readonly dialect?: 'mysql' | 'mariadb';
  /**
   * The version of the servers, as `SELECT VERSION()` tells it: `'8.0.36'`, `'10.11.6-MariaDB'`.
   * What is a built-in function depends on it. Counts only together with `dialect`, unless it
   * names MariaDB.
   *
   * @default the newest that rwsplit knows
   */
  readonly version?: string;
  /**
   * As the pool's option: stored or loadable functions that only read, as `'f'` or `'db.f'`.
   *
   * @default []
   */
  readonly pureFunctions?: readonly string[];
  /**
   * As the pool's option: tables that are always read on the primary, as `'t'` or `'db.t'`.
   *
   * @default []
   */
  readonly primaryTables?: readonly string[];
}

const expectedVersion = "a server version such as '8.0.36'";

const explainChecks = {
  dialect: routingChecks.dialect,
  version: check((value) =>
    typeof value === 'string' && /^\d+\.\d+(?!\d)/.test(value) ? null : expectedVersion,
  ),
  pureFunctions: routingChecks.pureFunctions,
  primaryTables: routingChecks.primaryTables,
} satisfies Record<keyof ExplainOptions, unknown>;

/**
 * Checks the options of {@link explain}.
 *
 * @throws `RWSPLIT_OPTIONS` that lists every problem.
 */
export function parseExplainOptions(options: ExplainOptions): ClassifierOptions {
  if (typeof options !== 'object' || options === null) {
    throw optionsError(['expected an object of options']);
  }
  const problems = [...problemsOf(options, explainChecks, ''), ...nameProblems(options)];
  if (problems.length > 0) {
    throw optionsError(problems);
  }
  const { version, pureFunctions = [], primaryTables = [] } = options;
  const named = version !== undefined && /mariadb/i.test(version) ? 'mariadb' : 'unknown';
  return {
    dialect: options.dialect ?? named,
    ...(version === undefined ? {} : { version: versionNumber(version) }),
    pureFunctions,
    primaryTables,
  };
}
