import { type Balancing, choose } from '../hosts/choose.ts';
import type { Role } from '../routing/reasons.ts';
import * as keywords from '../statement/keywords.ts';
import type { Host } from './host.ts';
import type { HostInfo } from './host-info.ts';
import type { Lease } from './lease.ts';
import { garbledCharacters, type RawPool } from './mysql2.ts';

/** Which replicas a read may be offered. */
export interface ReplicaLimits {
  admits(host: HostInfo): boolean;
  /** The one to take if it may be; `null`: whichever is best. */
  readonly preferred: HostInfo | null;
  /** Told which other one was taken. */
  chosen(host: HostInfo): void;
}

/** What {@link Hosts.lease} answers. */
export type HostsCallback = (error: Error | null, lease?: Lease) => void;

const systemSchemas = new Set(keywords.systemSchemas.split(' '));

function systemSchemaOf({ config }: RawPool): string | null {
  const database = config.connectionConfig.database?.toLowerCase() ?? '';
  return systemSchemas.has(database) ? database : null;
}

/** All hosts of a pool, and the way from a role to a connection. */
export class Hosts {
  readonly primary: Host;
  readonly replicas: readonly Host[];
  /** Characters that may reach a host as others, by the charsets of the hosts. */
  readonly garbled: readonly RegExp[];
  /** The system schema that names without a database belong to on a host; `null` if there is none. */
  readonly systemSchema: string | null;
  readonly #balancing: Balancing;
  #choices = 0;

  constructor(primary: Host, replicas: readonly Host[], balancing: Balancing) {
    this.primary = primary;
    this.replicas = replicas;
    this.#balancing = balancing;
    this.systemSchema = this.all.map(({ pool }) => systemSchemaOf(pool)).find(Boolean) ?? null;
    this.garbled = this.all.flatMap(({ pool }) => garbledCharacters(pool) ?? []);
  }

  get all(): readonly Host[] {
    return [this.primary, ...this.replicas];
  }

  /**
   * Asks for a connection. For a read, replicas are asked one after the other, never one in
   * `tried`; if none has a connection, the primary is asked.
   *
   * @param tried the hosts that this statement has failed on; grows.
   * @param limits which replicas may be asked.
   */
  lease(
    role: Role,
    tried: HostInfo[],
    callback: HostsCallback,
    limits: ReplicaLimits | null = null,
  ): void {
    const replica = role === 'replica' ? this.#chooseReplica(tried, limits) : undefined;
    const host = replica ?? this.primary;
    host.lastChosen = ++this.#choices;
    host.lease((failure, lease) => {
      if (failure === null) {
        callback(null, lease);
      } else if (replica !== undefined) {
        tried.push(replica);
        this.lease(role, tried, callback, limits);
      } else {
        callback(failure.error);
      }
    });
  }

  #chooseReplica(tried: readonly HostInfo[], limits: ReplicaLimits | null): Host | undefined {
    const now = Date.now();
    const isEligible = (host: Host) =>
      !tried.includes(host) && host.isAvailable(now) && limits?.admits(host) !== false;
    const preferred = this.replicas.find((host) => host === limits?.preferred);
    if (preferred !== undefined && isEligible(preferred)) {
      return preferred;
    }
    const candidates = this.replicas.map((host) => ({
      outstanding: host.outstanding,
      lastChosen: host.lastChosen,
      isEligible: isEligible(host),
    }));
    const chosen = this.replicas[choose(candidates, this.#balancing)];
    if (chosen !== undefined) {
      limits?.chosen(chosen);
    }
    return chosen;
  }
}
