import { isRwSplitError } from '../errors.ts';
import * as keywords from '../statement/keywords.ts';
import type { Host, LeaseCallback } from './host.ts';
import type { HostInfo } from './host-info.ts';
import { garbledCharacters, type RawPool } from './mysql2.ts';
import { primaryDown } from './primary-down.ts';
import { type ChoicePolicy, ReplicaChoice } from './replica-choice.ts';
import { Seat } from './seat.ts';

/** How a pool picks its hosts. */
export interface HostsPolicy extends ChoicePolicy {
  /** Whether roles are as configured; else they are found out. */
  readonly isStatic: boolean;
  /** How long to wait for a primary, in milliseconds. */
  readonly primaryWait: number;
  /** Told when a host turns out not to be what it was taken for, or to be gone. */
  readonly onDoubt: () => void;
}

/** Between two times that the connections of a primary are replaced because it refuses writes, in milliseconds. */
const longestDoubt = 1_000;

/** So many times may the primary move while a statement waits for a connection of it. */
const mostMoves = 3;

/** What changes the hosts of a pool. */
export interface HostsListener {
  /** The roles have changed, or hosts have come or gone. */
  hostsChanged(): void;
}

const systemSchemas = new Set(keywords.systemSchemas.split(' '));

function systemSchemaOf({ config }: RawPool): string | null {
  const database = config.connectionConfig.database?.toLowerCase() ?? '';
  return systemSchemas.has(database) ? database : null;
}

/** All hosts of a pool, and the way from a role to a connection. */
export class Hosts {
  readonly seat: Seat;
  /** Which replicas reads run on. */
  readonly choice: ReplicaChoice;
  #replicas: readonly Host[];
  #garbled: readonly RegExp[] = [];
  #systemSchema: string | null = null;
  readonly #policy: HostsPolicy;
  readonly #listeners: HostsListener[] = [];
  /** When the connections of a primary that refuses writes were replaced last. */
  #replacedAt = Number.NEGATIVE_INFINITY;

  constructor(primary: Host, replicas: readonly Host[], policy: HostsPolicy) {
    this.seat = new Seat(primary, policy.isStatic);
    this.choice = new ReplicaChoice(this, policy);
    this.#policy = policy;
    this.#replicas = replicas;
    this.#arrange();
  }

  /** The primary, or the last one that was. */
  get primary(): Host {
    return this.seat.host;
  }

  get replicas(): readonly Host[] {
    return this.#replicas;
  }

  get all(): readonly Host[] {
    return [this.primary, ...this.#replicas];
  }

  /** Characters that may reach a host as others, by the charsets of the hosts. */
  get garbled(): readonly RegExp[] {
    return this.#garbled;
  }

  /** The system schema that names without a database belong to on a host; `null` if there is none. */
  get systemSchema(): string | null {
    return this.#systemSchema;
  }

  /** Has it told of changes. */
  listen(listener: HostsListener): void {
    this.#listeners.push(listener);
  }

  /** A host is the primary from now on; the one before is a replica, as far as is known. */
  appoint(host: Host): void {
    const before = this.primary;
    if (host !== before) {
      before.become('replica');
      host.become('primary');
      // It was asked, and has answered, whatever was known of it as a replica.
      host.heard();
      this.#replicas = this.all.filter((one) => one !== host && !one.isLeaving);
    }
    this.seat.take(host);
    this.#changed();
  }

  add(host: Host): void {
    this.#replicas = [...this.#replicas, host];
    this.#changed();
  }

  /** Of a host that is a replica. */
  setWeight(host: Host, weight: number): void {
    host.weight = weight;
    this.#arrange();
  }

  remove(host: Host): void {
    host.retire();
    this.#replicas = this.#replicas.filter((one) => one !== host);
    this.#changed();
  }

  /** Asks for a connection to the primary; where roles are found out, one that is gone is waited for. */
  leasePrimary(callback: LeaseCallback, moves = 0): void {
    const checked: LeaseCallback = (failure, lease) => {
      const isOfPrimary = lease?.host === this.primary && lease.role === 'primary';
      if (lease === undefined || (isOfPrimary && this.seat.isTaken)) {
        callback(failure, lease);
      } else if (moves < mostMoves) {
        // It lost its place while its connection was waited for.
        lease.giveBack();
        this.leasePrimary(callback, moves + 1);
      } else {
        lease.giveBack();
        callback({ error: this.seat.error() });
      }
    };
    if (!this.seat.isTaken) {
      this.#awaitPrimary(checked);
      return;
    }
    this.#leaseFrom(this.primary, (failure, lease) => {
      if (failure !== null && this.#isGone(failure.error)) {
        // Nothing was sent, and another one may take its place.
        this.seat.vacate();
        this.#awaitPrimary(checked);
      } else {
        checked(failure, lease);
      }
    });
  }

  #isGone(error: Error): boolean {
    return !this.#policy.isStatic && isRwSplitError(error) && error.code === 'RWSPLIT_PRIMARY_DOWN';
  }

  #awaitPrimary(callback: LeaseCallback): void {
    this.#policy.onDoubt();
    this.seat.whenTaken(this.#policy.primaryWait, (host) => {
      if (host === null) {
        callback({ error: this.seat.error() });
      } else {
        this.#leaseFrom(host, callback);
      }
    });
  }

  /** The primary says that it takes no writes: it is one no more. */
  refusedBy(host: HostInfo): void {
    const { primary } = this;
    if (host !== primary) {
      return;
    }
    if (!this.#policy.isStatic) {
      this.seat.vacate();
    }
    if (performance.now() > this.#replacedAt + longestDoubt) {
      // Its name may lead to another server by now; or it is the right one, and read-only for a while.
      this.#replacedAt = performance.now();
      primary.replaceConnections();
    }
    this.#policy.onDoubt();
  }

  #leaseFrom(host: Host, callback: LeaseCallback): void {
    if (host.isSilent) {
      this.#policy.onDoubt();
      process.nextTick(callback, { error: primaryDown(host, null) });
      return;
    }
    host.lease((failure, lease) => {
      if (failure === null) {
        callback(null, lease);
        return;
      }
      const error = primaryDown(host, failure.error);
      if (error !== failure.error) {
        this.#policy.onDoubt();
      }
      callback({ error });
    });
  }

  #changed(): void {
    this.#arrange();
    for (const listener of this.#listeners) {
      listener.hostsChanged();
    }
  }

  #arrange(): void {
    this.choice.arrange();
    this.#systemSchema = this.all.map(({ pool }) => systemSchemaOf(pool)).find(Boolean) ?? null;
    this.#garbled = this.all.flatMap(({ pool }) => garbledCharacters(pool) ?? []);
  }
}
