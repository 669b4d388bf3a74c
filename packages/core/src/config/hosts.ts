import { isPool, type PoolOptions, type UserPool, unwrapPool } from '../pool/mysql2.ts';
import type { Role } from '../routing/reasons.ts';
import {
  array,
  boolean,
  type Check,
  check,
  count,
  nearest,
  positiveInteger,
  shown,
  text,
  weight,
} from './checks.ts';
import type { HostConfig, HostOptions } from './options.ts';
import { parseUrl } from './url.ts';

/** A host as its options were understood. */
export interface ParsedHost {
  readonly name: string;
  readonly role: Role;
  /** The user's own pool, or the options to make one. */
  readonly source: { readonly pool: UserPool } | { readonly options: PoolOptions };
  readonly traits: HostTraits;
}

/** What a host is to reads. */
export interface HostTraits {
  readonly weight: number;
  readonly groups: readonly string[];
  readonly zone: string | null;
}

const usualTraits: HostTraits = { weight: 1, groups: ['default'], zone: null };

/** Every option of mysql2; a new one there breaks this line, and nothing at run time. */
const mysql2Options = {
  Promise: true,
  authPlugins: true,
  authSwitchHandler: true,
  bigNumberStrings: true,
  charset: true,
  charsetNumber: true,
  compress: true,
  connectAttributes: true,
  connectTimeout: true,
  connectionLimit: true,
  database: true,
  dateStrings: true,
  debug: true,
  decimalNumbers: true,
  disableEval: true,
  enableCleartextPlugin: true,
  enableKeepAlive: true,
  flags: true,
  gracefulEnd: true,
  host: true,
  idleTimeout: true,
  infileStreamFactory: true,
  insecureAuth: true,
  isServer: true,
  jsonStrings: true,
  keepAliveInitialDelay: true,
  localAddress: true,
  maxIdle: true,
  maxPreparedStatements: true,
  multipleStatements: true,
  namedPlaceholders: true,
  nestTables: true,
  password: true,
  password1: true,
  password2: true,
  password3: true,
  passwordSha1: true,
  pool: true,
  port: true,
  queryFormat: true,
  queueLimit: true,
  resetOnRelease: true,
  rowsAsArray: true,
  socketPath: true,
  ssl: true,
  stream: true,
  stringifyObjects: true,
  supportBigNumbers: true,
  timezone: true,
  trace: true,
  typeCast: true,
  uri: true,
  user: true,
  waitForConnections: true,
} satisfies Record<keyof PoolOptions, true>;

/** Options that say which server it is, or belong to one connection: a replica has its own. */
const notInherited: ReadonlySet<string> = new Set([
  'socketPath',
  'localAddress',
  'stream',
  'isServer',
  'pool',
  'uri',
]);

const port: Check = (value) =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536
    ? null
    : 'a port number from 1 to 65535';

const hostChecks: Readonly<Record<string, Check>> = {
  name: check(text('a name')),
  weight: check(weight),
  groups: check((value) =>
    Array.isArray(value) && value.length === 0
      ? 'an array of names of groups'
      : array(text('names of groups'))(value),
  ),
  zone: check(text('the name of a zone')),
  host: check(text('a host name or address')),
  port: check((value) => port(typeof value === 'string' ? Number(value) : value)),
  connectionLimit: check((value) => (value === 0 ? null : positiveInteger('connections')(value))),
  user: check(text('a user name')),
  database: check((value) => (typeof value === 'string' ? null : 'a database name')),
  waitForConnections: check(boolean),
  namedPlaceholders: check(boolean),
  multipleStatements: check(boolean),
  rowsAsArray: check(boolean),
  resetOnRelease: check(boolean),
  maxIdle: check(count),
  idleTimeout: check(count),
  queueLimit: check(count),
  connectTimeout: check((value) => (value === 0 ? null : positiveInteger('milliseconds')(value))),
};

/**
 * Reads the hosts of a pool. What is wrong is added to `problems`; the hosts are of use only while
 * there are none.
 */
export function parseHosts(
  primary: unknown,
  replicas: unknown,
  problems: string[],
): { readonly hosts: readonly ParsedHost[]; readonly base: PoolOptions } {
  const first = readHost(primary, 'primary', {}, problems);
  if (replicas !== undefined && !Array.isArray(replicas)) {
    problems.push(`replicas: expected an array of hosts, found ${shown(replicas)}`);
    return { hosts: [], base: {} };
  }
  const base = first === null ? {} : inheritable(first);
  const given: readonly unknown[] = replicas ?? [];
  const others = given.map((value, index) => readHost(value, `replicas[${index}]`, base, problems));
  const read = [first, ...others].filter((config) => config !== null);
  problems.push(...sharedPools(read));
  return { hosts: withNames(read, problems), base };
}

/**
 * Reads a replica that joins a pool.
 *
 * @param base what it takes over from the primary.
 * @param others the names and pools that the other hosts have.
 */
export function parseReplica(
  value: unknown,
  base: PoolOptions,
  others: { readonly names: readonly string[]; readonly pools: readonly object[] },
  problems: string[],
): ParsedHost | null {
  const config = readHost(value, 'replica', base, problems);
  if (config === null) {
    return null;
  }
  const name = givenName(config) ?? addressOf(config);
  if (isPool(config) && others.pools.includes(unwrapPool(config))) {
    problems.push('replica: expected a pool of its own, found one that another host has');
  } else if (others.names.includes(name)) {
    problems.push(`replica.name: expected a name of its own, found '${name}' again`);
  }
  return { name, role: 'replica', ...partsOf(config) };
}

/** One pool cannot have connections that are read-only and connections that write. */
function sharedPools(configs: readonly ReadHost[]): string[] {
  const pools = configs.map((config) => (isPool(config) ? unwrapPool(config) : null));
  return pools.flatMap((pool, index) =>
    pool !== null && pools.indexOf(pool) < index
      ? [`replicas[${index - 1}]: expected a pool of its own, found one that another host has`]
      : [],
  );
}

/** A host before it has its name. */
type ReadHost = Exclude<HostConfig, string>;

function readHost(
  value: unknown,
  place: string,
  base: PoolOptions,
  problems: string[],
): ReadHost | null {
  if (isPool(value)) {
    return value;
  }
  const options = typeof value === 'string' ? parseUrl(value) : withUri(value);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const isUrl = typeof value === 'string' || typeof value === 'object';
    const found = isUrl && value !== null ? 'a string that is no such URL' : shown(value);
    problems.push(
      `${place}: expected mysql2 pool options, a URL (mysql://user@address:port/database) or a mysql2 pool, found ${
        Array.isArray(value) ? shown(value) : found
      }`,
    );
    return null;
  }
  problems.push(...hostProblems(options, place));
  return { ...base, ...definedOnly(options) };
}

/** mysql2's rule for `uri`: options that say something win over the URL. `null` if it is no such URL. */
function withUri(options: unknown): unknown {
  if (typeof options !== 'object' || options === null || !('uri' in options)) {
    return options;
  }
  const { uri, ...rest } = options;
  if (uri === undefined) {
    return rest;
  }
  const own = typeof uri === 'string' ? parseUrl(uri) : null;
  const given = Object.entries(rest).filter(([, value]) => value);
  return own === null ? null : { ...rest, ...own, ...Object.fromEntries(given) };
}

const knownOptions = [...new Set([...Object.keys(mysql2Options), ...Object.keys(hostChecks)])];

function hostProblems(options: object, place: string): string[] {
  return Object.entries(options).flatMap(([key, value]) => {
    const expected = hostChecks[key]?.(value) ?? null;
    if (expected !== null) {
      return [`${place}.${key}: expected ${expected}, found ${shown(value)}`];
    }
    const isKnown = Object.hasOwn(mysql2Options, key) || Object.hasOwn(hostChecks, key);
    // What nothing resembles may be an option of a newer mysql2, which has its own warning.
    const near = isKnown ? null : nearest(key, knownOptions);
    return near === null ? [] : [`${place}.${key}: unknown option; did you mean '${near}'?`];
  });
}

function definedOnly(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** What a replica takes over from the primary. */
function inheritable(primary: ReadHost): PoolOptions {
  const source = isPool(primary) ? unwrapPool(primary).config.connectionConfig : primary;
  return Object.fromEntries(
    Object.entries(source).filter(
      ([key, value]) =>
        value !== undefined && Object.hasOwn(mysql2Options, key) && !notInherited.has(key),
    ),
  );
}

function withNames(configs: readonly ReadHost[], problems: string[]): ParsedHost[] {
  const taken = new Map<string, number>();
  return configs.map((config, index) => {
    const given = givenName(config);
    const base = given ?? addressOf(config);
    const count = (taken.get(base) ?? 0) + 1;
    taken.set(base, count);
    if (given !== undefined && count > 1) {
      problems.push(
        `replicas[${index - 1}].name: expected a name of its own, found '${given}' again`,
      );
    }
    const name = count === 1 ? base : `${base}#${count}`;
    return { name, role: index === 0 ? 'primary' : 'replica', ...partsOf(config) };
  });
}

function partsOf(config: ReadHost): Pick<ParsedHost, 'source' | 'traits'> {
  if (isPool(config)) {
    return { source: { pool: config }, traits: usualTraits };
  }
  const { name: _, weight = 1, groups = ['default'], zone, ...options }: HostOptions = config;
  return { source: { options }, traits: { weight, groups, zone: zone ?? null } };
}

function givenName(config: ReadHost): string | undefined {
  return isPool(config) ? undefined : config.name;
}

function addressOf(config: ReadHost): string {
  const options = isPool(config) ? unwrapPool(config).config.connectionConfig : config;
  return options.socketPath ?? `${options.host ?? 'localhost'}:${options.port ?? 3306}`;
}
