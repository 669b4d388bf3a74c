import {
  type HostConfig,
  type HostOptions,
  optionProblems,
  optionsError,
  type ReplicatedPoolOptions,
  type UserPool,
} from '@rwsplit/core';
import type { Knex } from 'knex';
import { revealed, withSecrets } from './secrets.ts';
import { setUp } from './set-up.ts';

/** Core's options but for the primary, which is what `connection` says at the time. */
export type SplitOptions = Omit<ReplicatedPoolOptions, 'primary'>;

/** Whether a configuration has replicas: without, the client is Knex's own. */
export function hasReplicas({ replicas }: Knex.Config): boolean {
  return Array.isArray(replicas) ? replicas.length > 0 : (replicas ?? null) !== null;
}

/**
 * Reads what a Knex configuration says of replicas and routing.
 *
 * @param settings what is known of the primary.
 * @param own the user's own pool for it, in place of settings.
 * @throws `RWSPLIT_OPTIONS` with every problem, by the keys of the Knex configuration.
 */
export function splitOptions(
  config: Knex.Config,
  settings: object,
  own: UserPool | null,
): SplitOptions {
  const given = {
    ...lifetimeOf(config),
    ...config.replication,
    replicas: revealedReplicas(config),
  };
  const primary = own ?? withSecrets(settings);
  const problems = optionProblems({ ...given, primary }).map(inWordsOfKnex);
  if (own === null && (config.connectionPool ?? null) !== null) {
    problems.push(
      'connectionPool: expected a pool of mysql2 beside replicas, found one of another kind',
    );
  }
  if (problems.length > 0) {
    throw optionsError(problems);
  }
  return {
    ...given,
    primaryTables: [...(given.primaryTables ?? []), ...migrationTables(config)],
    onCreateConnection: setUp(config.pool?.afterCreate, given.onCreateConnection),
  };
}

/** The user's own pool of mysql2 for the primary, which outlives the instance; `null`: there is none. */
export function nativePool({ connectionPool: given }: Knex.Config): UserPool | null {
  if (typeof given !== 'object' || given === null || !('getConnection' in given)) {
    return null;
  }
  // mysql2's promise form wraps the other one.
  const pool: object = 'pool' in given ? Object(given.pool) : given;
  const kept: ProxyHandler<object> = {
    get: (target, key, receiver) => (key === 'end' ? keep : Reflect.get(target, key, receiver)),
  };
  return new Proxy(pool, kept) as UserPool;
}

/** In place of a pool's `end`: whoever has made it ends it. */
function keep(callback?: (error: null) => void): void {
  callback?.(null);
}

/** The primary's options: its settings, and Knex's limits for each host. */
export function primaryOptions(settings: object, pool: Knex.PoolConfig): HostOptions {
  const { max = 10, min = 2, idleTimeoutMillis = 30_000 } = pool;
  const limits =
    // mysql2 closes idle connections only where fewer than all may be idle.
    max > 1 && min < max
      ? { connectionLimit: max, maxIdle: max - 1, idleTimeout: idleTimeoutMillis }
      : { connectionLimit: max };
  return { ...limits, ...withSecrets(settings) };
}

/** What is no array is for core to refuse. */
function revealedReplicas({ replicas }: Knex.Config): readonly HostConfig[] {
  const revealedOnes: unknown = Array.isArray(replicas) ? replicas.map(revealed) : replicas;
  return revealedOnes as readonly HostConfig[];
}

function inWordsOfKnex(problem: string): string {
  if (problem.startsWith('replicas')) {
    return problem;
  }
  return /^primary\b/.test(problem)
    ? problem.replace('primary', 'connection')
    : `replication.${problem}`;
}

/** Core knows the names that Knex's migrations use by default. */
function migrationTables({ migrations }: Knex.Config): string[] {
  const name = migrations?.tableName;
  return name === undefined ? [] : [name, `${name}_lock`];
}

/** Knex's name for the age of connections; what it adds at random, core takes off. */
function lifetimeOf({ pool }: Knex.Config): Pick<SplitOptions, 'maxLifetime'> {
  const lifetime = pool?.maxConnectionLifetimeMillis;
  // Knex takes no notice of anything else.
  const isMeant = typeof lifetime === 'number' && Number.isFinite(lifetime) && lifetime > 0;
  return isMeant ? { maxLifetime: Math.ceil(lifetime) } : {};
}
