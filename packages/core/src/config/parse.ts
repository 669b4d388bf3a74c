import { RwSplitError } from '../errors.ts';
import type { PoolOptions } from '../pool/mysql2.ts';
import { problemsOf } from './checks.ts';
import { type ParsedHost, parseHosts } from './hosts.ts';
import { nameProblems } from './names.ts';
import {
  type ReplicatedPoolOptions,
  type RoutingOptions,
  routingChecks,
  routingDefaults,
} from './options.ts';

/** Options with their defaults filled in. */
export interface ParsedOptions {
  readonly hosts: readonly ParsedHost[];
  /** What hosts that join later take over from the primary. */
  readonly base: PoolOptions;
  readonly routing: RoutingOptions & Required<Pick<RoutingOptions, keyof typeof routingDefaults>>;
}

/**
 * Checks the options of a pool.
 *
 * @throws `RWSPLIT_OPTIONS` that lists every problem, each with its key, what was expected and what
 *   was found. Strings of host options, which may be secret, are not shown.
 */
export function parseOptions(options: ReplicatedPoolOptions): ParsedOptions {
  const problems: string[] = [];
  const parsed = read(options, problems);
  if (parsed === null || problems.length > 0) {
    throw optionsError(problems);
  }
  return parsed;
}

/** What is wrong with the options of a pool, for those who have options of their own to check too. */
export function optionProblems(options: object): string[] {
  const problems: string[] = [];
  read(options, problems);
  return problems;
}

/** What is wrong is added to `problems`; the answer is of use only while there is nothing. */
function read(options: Partial<ReplicatedPoolOptions>, problems: string[]): ParsedOptions | null {
  if (typeof options !== 'object' || options === null) {
    problems.push('expected an object with `primary` and `replicas`');
    return null;
  }
  const { primary, replicas, ...routing } = options;
  const hosts = { primary: () => null, replicas: () => null };
  problems.push(...problemsOf(routing, { ...hosts, ...routingChecks }, ''));
  problems.push(...nameProblems(routing));
  return {
    ...parseHosts(primary, replicas, problems),
    routing: { ...routingDefaults, ...definedOf(routing) },
  };
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
