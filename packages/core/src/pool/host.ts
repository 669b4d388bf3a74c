import type { HostTraits } from '../config/hosts.ts';
import type { GtidDialect } from '../gtid/set.ts';
import { type Health, type HealthEvent, healthy, reduceHealth } from '../hosts/health.ts';
import type { HostSnapshot } from '../hosts/snapshot.ts';
import type { Role } from '../routing/reasons.ts';
import { addressOf } from '../topology/address.ts';
import type { Address } from '../topology/topology.ts';
import { Connections, type ConnectionsPolicy } from './connections.ts';
import { codeOf, isBusy, isOfServer } from './failure.ts';
import type { HostInfo } from './host-info.ts';
import { Lease, type LeasingHost, type Traces } from './lease.ts';
import type { DriverError, RawPool } from './mysql2.ts';

/** What {@link Host.lease} answers. */
export type LeaseCallback = (failure: LeaseFailure | null, lease?: Lease) => void;

/** Why there is no lease. */
export interface LeaseFailure {
  readonly error: DriverError;
}

/** How a host behaves; the same for all hosts of a pool. */
export interface HostPolicy extends ConnectionsPolicy {
  /** The weight of the primary among the replicas. */
  readonly primaryReads: number;
  /** Told when it is asked for a connection. */
  readonly onUse: () => void;
  /** Told of each change of a host's health. */
  readonly onHealthChange: (host: Host, before: Health) => void;
}

/** No wait between two tries is longer, in milliseconds: writes have nowhere else to go. */
const longestWait = { primary: 2_000, replica: 30_000 } as const;

/** Of failures that took their time: to try again would take as long. */
const silences: ReadonlySet<string | null> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

/** One server: what it is to the pool, how well it is, and the way to its connections. */
export class Host implements LeasingHost {
  readonly name: string;
  readonly pool: RawPool;
  /** Where it is, as topologies write it. */
  readonly address: Address;
  readonly groups: readonly string[];
  readonly zone: string | null;
  /** How far it is behind the primary, in milliseconds; `null` if that is not known. */
  lag: number | null = null;
  /** Whether it serves its cluster now, where that can be found out. */
  isMember = true;
  /** Grows with every choice; see {@link Candidate}. */
  lastChosen = 0;
  /** For round robin by weight; see {@link nextTurn}. */
  turn = 0;
  /** How many statements it has answered. */
  answers = 0;
  /** How many statements run on it. */
  running = 0;
  /** Whether others than rwsplit may use the pool. */
  readonly isShared: boolean;
  #role: Role;
  /** Among the replicas; see {@link weight}. */
  #weight: number;
  #health: Health = healthy;
  #life: object = {};
  readonly #policy: HostPolicy;
  readonly #connections: Connections;

  /** @param isShared whether others than rwsplit may use the pool. */
  constructor(
    { name, role, traits }: HostInfo & { readonly traits: HostTraits },
    pool: RawPool,
    isShared: boolean,
    policy: HostPolicy,
  ) {
    this.name = name;
    this.isShared = isShared;
    this.#role = role;
    this.groups = Object.freeze([...traits.groups]);
    this.zone = traits.zone;
    this.#weight = traits.weight;
    this.address = addressIn(pool);
    this.pool = pool;
    this.#policy = policy;
    this.#connections = new Connections(this, pool, isShared, policy);
  }

  get role(): Role {
    return this.#role;
  }

  /** How much of the reads it gets: of the primary, what the pool says. */
  get weight(): number {
    return this.#role === 'primary' ? this.#policy.primaryReads : this.#weight;
  }

  set weight(weight: number) {
    this.#weight = weight;
  }

  /** Statements and sessions that have a connection, or wait for one. */
  get outstanding(): number {
    return this.#connections.outstanding;
  }

  /** It takes writes now, or does not any more. */
  become(role: Role): void {
    if (role !== this.#role) {
      this.#role = role;
      this.lag = null;
      // What it says of GTIDs depends on that.
      this.#connections.greeting = null;
      this.replaceConnections();
    }
  }

  /** As a balancing function sees it. */
  snapshot(): HostSnapshot {
    const { name, role, outstanding, lag, weight, zone, groups } = this;
    const state = this.isSuspect ? 'suspect' : 'up';
    return Object.freeze({ name, role, outstanding, lag, weight, zone, groups, state });
  }

  /** The server's own `VERSION()`; `null` before the first connection. */
  get version(): string | null {
    return this.#connections.greeting?.version ?? null;
  }

  /** Whose GTIDs it gives its transactions; `null`: none; `undefined`: not known yet. */
  get gtids(): GtidDialect | null | undefined {
    return this.#connections.greeting?.gtids;
  }

  /**
   * Another one whenever a connection was lost: what answers then may be another server, or have lost
   * something.
   */
  get life(): object {
    return this.#life;
  }

  get health(): Health {
    return this.#health;
  }

  /** Whether it may be offered statements. */
  get isAvailable(): boolean {
    return this.isMember && this.isReachable;
  }

  /** Whether it is not known to be out of service. */
  get isReachable(): boolean {
    const { state } = this.#health;
    return state === 'up' || state === 'suspect';
  }

  /** Whether it gets no more statements, for good. */
  get isLeaving(): boolean {
    return this.#health.state === 'draining';
  }

  /** Whether all is well with it. */
  get isUp(): boolean {
    return this.isMember && this.#health.state === 'up';
  }

  /** Whether others are to be preferred: see {@link HostState}. */
  get isSuspect(): boolean {
    return this.#health.state === 'suspect';
  }

  /** Whether it is known that nobody would answer a new connection, sooner than a timeout tells. */
  get isSilent(): boolean {
    return this.#health.state === 'down' && silences.has(this.#health.lastFailure);
  }

  answered(): void {
    this.answers += 1;
  }

  heard(): void {
    this.#note({ kind: 'connected' });
  }

  connectionLost(code: string): void {
    this.#life = {};
    this.#note({ kind: 'lost', code });
  }

  /** It is out of service: who waits for a connection of it need not wait for longer. */
  failed(error: DriverError): void {
    this.#failed(error);
    this.#connections.failWaiting(error);
  }

  /** Gives up what runs on it: it would fail when the network says so, and that may take hours. */
  abort(): void {
    const why: DriverError = new Error(`The server gives no sign of life: ${this.name}`);
    why.code = 'ETIMEDOUT';
    this.#connections.break(why);
    this.replaceConnections();
  }

  /** It gets no more statements, for good. */
  retire(): void {
    this.#note({ kind: 'removed' });
  }

  /** Has every connection replaced: see {@link Connections.replace}. */
  replaceConnections(): void {
    this.#life = {};
    this.#connections.replace();
  }

  /** Asks for a connection that is ready for statements. The callback is called exactly once. */
  lease(callback: LeaseCallback): void {
    this.#policy.onUse();
    this.#lease(false, callback);
  }

  /** It is out of service, and tried now. */
  tried(): void {
    this.#note({ kind: 'tried' });
  }

  /** It lets clients in again: tries to have a connection, as a statement would. */
  tryOut(): void {
    this.#lease(true, (failure, lease) => {
      lease?.giveBack();
      const error = failure?.error ?? null;
      const isFull = error?.code === 'ETIMEDOUT' && this.#connections.isFull;
      if (error !== null && (isFull || isBusy(error))) {
        // It lets others in; only its pool has no room.
        this.heard();
      } else if (error !== null && this.#health.isTried) {
        this.#failed(error);
      }
    });
  }

  leaseEnded(lease: Lease): void {
    this.#connections.leaseEnded(lease);
  }

  clean(lease: Lease, traces: Traces): void {
    this.#connections.clean(lease, traces);
  }

  remember(lease: Lease, isBrief: boolean, onTaken: () => void): void {
    this.#connections.remember(lease, isBrief, onTaken);
  }

  recall(lease: Lease): boolean {
    return this.#connections.recall(lease);
  }

  hasReplaced(lease: Lease): boolean {
    return this.#connections.hasReplaced(lease);
  }

  /** Gives back what is only remembered, and closes what is not clean yet, for good. */
  close(): void {
    this.#connections.close();
  }

  #lease(isTrial: boolean, callback: LeaseCallback): void {
    this.#connections.connect(isTrial, (error, connection) => {
      if (connection !== undefined) {
        const lease = new Lease(this, connection);
        this.#connections.lent(lease);
        callback(null, lease);
      } else {
        const failure = { error: error ?? new Error('no connection') };
        this.refused(failure.error);
        callback(failure);
      }
    });
  }

  /**
   * A connection could not be had. Only what says that it is not in service counts against it: no room, in
   * the pool or on the server, does not.
   */
  refused(error: DriverError): void {
    if (isBusy(error)) {
      if (isOfServer(error)) {
        this.heard();
      }
    } else if (error.code !== 'RWSPLIT_ACQUIRE_TIMEOUT') {
      this.#failed(error);
    }
  }

  #failed(error: DriverError): void {
    this.#life = {};
    this.#note({
      kind: 'failed',
      code: codeOf(error),
      now: Date.now(),
      jitter: Math.random(),
      longestWait: longestWait[this.#role],
    });
  }

  #note(event: HealthEvent): void {
    const before = this.#health;
    this.#health = reduceHealth(before, event);
    if (this.#health === before) {
      return;
    }
    if (this.#health.state === 'down' && before.state !== 'down') {
      // What idles may be as dead, and would tell that only when somebody uses it.
      this.#connections.closeIdle();
    }
    this.#policy.onHealthChange(this, before);
  }
}

function addressIn({ config }: RawPool): Address {
  const { socketPath, host = 'localhost', port = 3306 } = config.connectionConfig;
  return socketPath ?? addressOf(host, port);
}
