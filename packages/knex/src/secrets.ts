import type { HostOptions } from '@rwsplit/core';
import type { Knex } from 'knex';

/** Options of a host that are a password, or may hold one. */
const secretKeys = [
  'password',
  'password1',
  'password2',
  'password3',
  'passwordSha1',
  'uri',
] as const;

/** What the user gave, by what stands for it in Knex's configuration. */
const givenAs = new WeakMap<object, unknown>();

/** What {@link concealed} has made. */
const concealedOnes = new WeakSet<object>();

/** Takes the secrets of an object out of whatever prints or logs it; they can still be read. */
export function hideSecrets(target: unknown): void {
  for (const key of secretKeys) {
    if (isObject(target) && Object.hasOwn(target, key)) {
      Object.defineProperty(target, key, { enumerable: false });
    }
  }
}

/** A copy whose secrets are hidden, or the same object if it is such a copy: the user's own stays as it is. */
export function concealed(settings: object): object {
  if (concealedOnes.has(settings)) {
    return settings;
  }
  const copy = withSecrets(settings);
  hideSecrets(copy);
  concealedOnes.add(copy);
  return copy;
}

/** A copy that has what {@link hideSecrets} hid as ordinary properties again. */
export function withSecrets(target: object): object {
  const known: Partial<Record<string, unknown>> = target;
  const hidden = secretKeys.filter((key) => Object.hasOwn(target, key));
  return { ...target, ...Object.fromEntries(hidden.map((key) => [key, known[key]])) };
}

/** A configuration that can be printed. The user's own objects stay as they are. */
export function withPrintableReplicas(config: Knex.Config): Knex.Config {
  const replicas: unknown = config.replicas;
  return Array.isArray(replicas) ? { ...config, replicas: replicas.map(printable) } : config;
}

function printable(replica: unknown): HostOptions {
  const given = revealed(replica);
  const shown = typeof given === 'string' ? addressIn(given) : optionsOf(given);
  hideSecrets(shown);
  givenAs.set(shown, given);
  return shown;
}

/** The replica that something {@link printable} stands for; anything else is what it is. */
export function revealed(replica: unknown): unknown {
  return isObject(replica) && givenAs.has(replica) ? givenAs.get(replica) : replica;
}

function addressIn(url: string): HostOptions {
  if (!URL.canParse(url)) {
    return {};
  }
  const { hostname: host, port, username: user, pathname } = new URL(url);
  return { host, port: port === '' ? 3306 : Number(port), user, database: pathname.slice(1) };
}

/** A pool has its password deep inside, and nothing outside that tells more than that it is one. */
function optionsOf(replica: unknown): HostOptions {
  return isObject(replica) && !('getConnection' in replica) ? { ...replica } : {};
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
