import { RwSplitError } from '../errors.ts';
import { problemsOf } from './checks.ts';
import { type ParsedHost, parseHosts } from './hosts.ts';
import {
  type ReplicatedPoolOptions,
  type RoutingOptions,
  routingChecks,
  routingDefaults,
} from './options.ts';

/** Options with their defaults filled in. */
export interface ParsedOptions {
  readonly hosts: readonly ParsedHost[];
  readonly routing: RoutingOptions & Required<Pick<RoutingOptions, keyof typeof routingDefaults>>;
}

/**
 * Checks the options of a pool.
 *
 * @throws `RWSPLIT_OPTIONS` that lists every problem, each with its key, what was expected and what
 *   was found. Strings of host options, which may be secret, are not shown.
 */
export function parseOptions(options: ReplicatedPoolOptions): ParsedOptions {
  if (typeof options !== 'object' || options === null) {
    throw optionsError(['expected an object with `primary` and `replicas`']);
  }
  const { primary, replicas, ...routing } = options;
  const problems = problemsOf(
    routing,
    { primary: () => null, replicas: () => null, ...routingChecks },
    '',
  );
  const hosts = parseHosts(primary, replicas, problems);
  if (problems.length > 0) {
    throw optionsError(problems);
  }
  return { hosts, routing: { ...routingDefaults, ...definedOf(routing) } };
}

/** The error for options that cannot be used. */
export function optionsError(problems: readonly string[]): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_OPTIONS',
    `Invalid options:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}

function definedOf(routing: RoutingOptions): RoutingOptions {
  return Object.fromEntries(Object.entries(routing).filter(([, value]) => value !== undefined));
}
