import type { HostConfig, ReplicatedPoolOptions } from '@rwsplit/core';

/** What Kysely 0.29 says of the query that something is done for. */
export interface OperationOptions {
  /** Aborted when the query is; none if it cannot be, and before Kysely 0.29. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A host as the pool takes it, or a function that gives one, or a promise of it: called for each Kysely
 * instance that is made from the dialect, before its first query.
 */
export type DialectHost =
  | HostConfig
  | ((operation?: OperationOptions) => HostConfig | Promise<HostConfig>);

/** The hosts as they were given. */
export interface GivenHosts {
  readonly primary: DialectHost;
  readonly replicas: readonly DialectHost[];
}

type RoutingOptions = Omit<ReplicatedPoolOptions, 'primary' | 'replicas'>;

/** In place of a host that a function will give, for a check of the others. */
export function knownHost(host: unknown): unknown {
  return typeof host === 'function' ? {} : host;
}

/** A host as it is now: others may share the object, and change it before the first query. */
export function asGiven(host: DialectHost): DialectHost {
  const isOptions = typeof host === 'object' && !('getConnection' in host);
  // With what is hidden from those who print it.
  return isOptions ? Object.defineProperties({}, Object.getOwnPropertyDescriptors(host)) : host;
}

/** The options of the pool; a promise of them only if there is something to wait for. */
export function poolOptions(
  hosts: GivenHosts,
  routing: RoutingOptions,
  operation?: OperationOptions,
): ReplicatedPoolOptions | Promise<ReplicatedPoolOptions> {
  const give = (host: DialectHost) => (typeof host === 'function' ? host(operation) : host);
  const primary = give(hosts.primary);
  const replicas = hosts.replicas.map(give);
  if (isKnown(primary) && replicas.every(isKnown)) {
    return { ...routing, primary, replicas };
  }
  return Promise.all([primary, Promise.all(replicas)]).then(([first, others]) => ({
    ...routing,
    primary: first,
    replicas: others,
  }));
}

function isKnown(host: HostConfig | Promise<HostConfig>): host is HostConfig {
  return !isPromise(host);
}

/** Whether it would take for options what has none. */
export function isPromise(host: unknown): boolean {
  return typeof host === 'object' && host !== null && 'then' in host;
}
