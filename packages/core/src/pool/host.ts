import type { HostTraits } from '../config/hosts.ts';
import { RwSplitError } from '../errors.ts';
import type { GtidDialect } from '../gtid/set.ts';
import { type Health, type HealthEvent, healthy, reduceHealth } from '../hosts/health.ts';
import type { HostSnapshot } from '../hosts/snapshot.ts';
import type { Role } from '../routing/reasons.ts';
import { addressOf } from '../topology/address.ts';
import type { Address } from '../topology/topology.ts';
import { Deadlines } from './deadlines.ts';
import { codeOf, isBusy } from './failure.ts';
import type { HostInfo, OnCreateConnection } from './host-info.ts';
import { Lease, type LeasingHost, type Traces } from './lease.ts';
import { checkLiveness, mayBeDead } from './liveness.ts';
import {
  breakConnection,
  type DriverError,
  discardConnection,
  freeConnections,
  type RawConnection,
  type RawPool,
} from './mysql2.ts';
import { markReset, type Physical, physicalOf } from './physical.ts';
import {
  type Greeting,
  type Preparation,
  prepareConnection,
  resetConnection,
} from './prepare-connection.ts';
import { Remembered } from './remembered.ts';

/** What {@link Host.lease} answers. */
export type LeaseCallback = (failure: LeaseFailure | null, lease?: Lease) => void;

/** Why there is no lease. */
export interface LeaseFailure {
  readonly error: DriverError;
}

/** How a host behaves; the same for all hosts of a pool. */
export interface HostPolicy {
  /** How long a statement waits for a connection, in milliseconds. */
  readonly acquireTimeout: number;
  /** After how many milliseconds of idling a connection is asked for a sign of life; `false`: never. */
  readonly checkIdleAfter: number | false;
  readonly onCreateConnection: OnCreateConnection | null;
  /** Told the server's `VERSION()`, by the first connection of each host. */
  readonly onVersion: (version: string) => void;
  /** The weight of the primary among the replicas. */
  readonly primaryReads: number;
  /** How long a host that is down may take to show that it is not, in milliseconds. */
  readonly probeTimeout: number;
  /** The age at which a connection is replaced, in milliseconds; `false`: never. */
  readonly maxLifetime: number | false;
  /** Told when it is asked for a connection. */
  readonly onUse: () => void;
  /** Told of each change of a host's health. */
  readonly onHealthChange: (host: Host, before: Health) => void;
}

/** No wait between two tries is longer, in milliseconds: writes have nowhere else to go. */
const longestWait = { primary: 2_000, replica: 30_000 } as const;

/** Of failures that took their time: to try again would take as long. */
const silences: ReadonlySet<string | null> = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'RWSPLIT_ACQUIRE_TIMEOUT',
]);

/** One server: its connections, its health, and how busy it is. */
export class Host implements LeasingHost {
  readonly name: string;
  readonly pool: RawPool;
  /** Where it is, as topologies write it. */
  readonly address: Address;
  readonly groups: readonly string[];
  readonly zone: string | null;
  /** Among the replicas; see {@link weight}. */
  #weight: number;
  /** How far it is behind the primary, in milliseconds; `null` if that is not known. */
  lag: number | null = null;
  #role: Role;
  /** Statements and sessions that have a connection, or wait for one. */
  outstanding = 0;
  /** Grows with every choice; see {@link Candidate}. */
  lastChosen = 0;
  /** Whether it serves its cluster now, where that can be found out. */
  isMember = true;
  /** For round robin by weight; see {@link nextTurn}. */
  turn = 0;
  /** How many statements it has answered. */
  answers = 0;
  /** What the server said to the first connection; `null` before that. */
  #greeting: Greeting | null = null;
  #health: Health = healthy;
  readonly #policy: HostPolicy;
  readonly #deadlines: Deadlines;
  readonly #trials: Deadlines;
  readonly #leases = new Set<Lease>();
  /** Grows when all connections are to be replaced. */
  #generation = 0;
  readonly #remembered: Remembered;
  readonly #inCleaning = new Set<Lease>();
  /** When a connection was pinged last that did not answer. */
  #silentSince = 0;

  #life: object = {};

  /** Whether others than rwsplit may use its pool. */
  readonly #isShared: boolean;

  constructor(
    { name, role, traits }: HostInfo & { readonly traits: HostTraits },
    pool: RawPool,
    isShared: boolean,
    policy: HostPolicy,
  ) {
    this.#isShared = isShared;
    this.name = name;
    this.#role = role;
    this.groups = Object.freeze([...traits.groups]);
    this.zone = traits.zone;
    this.#weight = traits.weight;
    this.address = addressIn(pool);
    this.pool = pool;
    this.#policy = policy;
    this.#deadlines = new Deadlines(policy.acquireTimeout);
    this.#trials = new Deadlines(policy.probeTimeout);
    this.#remembered = new Remembered(pool);
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

  /** It is another one's now to take writes, or its own. */
  become(role: Role): void {
    if (role !== this.#role) {
      this.#role = role;
      this.#greeting = null;
      this.lag = null;
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
    return this.#greeting?.version ?? null;
  }

  /** Whose GTIDs it gives its transactions; `null`: none; `undefined`: not known yet. */
  get gtids(): GtidDialect | null | undefined {
    return this.#greeting?.gtids;
  }

  /**
   * Another one whenever a connection was lost: what answers then may be another server, or have lost
   * something.
   */
  get life(): object {
    return this.#life;
  }

  connectionLost(code: string): void {
    this.#life = {};
    this.#note({ kind: 'lost', code });
  }

  answered(): void {
    this.answers += 1;
  }

  get health(): Health {
    return this.#health;
  }

  /** Whether it may be offered statements. */
  get isAvailable(): boolean {
    const { state } = this.#health;
    return this.isMember && (state === 'up' || state === 'suspect');
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

  #note(event: HealthEvent): void {
    const before = this.#health;
    this.#health = reduceHealth(before, event);
    if (this.#health !== before) {
      this.#policy.onHealthChange(this, before);
    }
  }

  /** It has shown that it answers. */
  alive(): void {
    this.#note({ kind: 'connected' });
  }

  /** It has shown that it does not: who waits for a connection of it need not wait for longer. */
  failed(error: DriverError): void {
    this.#failed(error);
    this.#deadlines.missAll(error);
  }

  /** Gives up what runs on it: it would fail when the network says so, and that may take hours. */
  abort(): void {
    const why: DriverError = new Error(`The server gives no sign of life: ${this.name}`);
    why.code = 'ETIMEDOUT';
    for (const { connection } of [...this.#leases]) {
      breakConnection(connection, why);
    }
    this.replaceConnections();
  }

  /** It gets no more statements, for good. */
  retire(): void {
    this.#note({ kind: 'removed' });
  }

  /**
   * Has every connection replaced: idle ones are closed now, others when they are given back. Connections
   * of a pool that somebody made are left to that.
   */
  replaceConnections(): void {
    this.#generation += 1;
    this.#life = {};
    this.#remembered.drop();
    if (!this.#isShared) {
      for (const connection of freeConnections(this.pool)) {
        discardConnection(connection);
      }
    }
  }

  hasReplaced({ physical }: Lease): boolean {
    return !this.#isShared && physical.generation !== this.#generation;
  }

  /** Tries to have a connection, as a statement would, after it was down. */
  tryOut(callback: (failure: LeaseFailure | null) => void): void {
    this.#note({ kind: 'tried' });
    this.#lease(this.#trials, (failure, lease) => {
      lease?.giveBack();
      if (failure !== null && this.#health.isTried) {
        // Whatever it was that did not give a connection, it is not in service.
        this.#failed(failure.error);
      }
      callback(failure);
    });
  }

  /**
   * Asks for a connection that is ready for statements. The callback is called exactly once; a
   * connection that comes after the timeout goes straight back.
   */
  lease(callback: LeaseCallback): void {
    this.#policy.onUse();
    this.#lease(this.#deadlines, callback);
  }

  #lease(deadlines: Deadlines, callback: LeaseCallback): void {
    this.outstanding += 1;
    let preparing: RawConnection | null = null;
    const request = deadlines.add((why) => {
      // One whose set-up is never answered would keep its place in the pool for ever.
      if (preparing !== null) {
        discardConnection(preparing);
      }
      settle(why === null ? this.#timedOut(deadlines.timeout) : { error: why });
    });
    const settle = (failure: LeaseFailure | null, lease?: Lease) => {
      deadlines.remove(request);
      if (failure !== null) {
        this.outstanding -= 1;
      }
      callback(failure, lease);
    };
    const prepare = (connection: RawConnection) => {
      preparing = connection;
    };
    this.#connect(prepare, (error, connection) => {
      if (request.isOver) {
        this.#takeBack(connection);
      } else if (error !== null || connection === undefined) {
        settle(this.#refused(error ?? new Error('mysql2 gave no connection')));
      } else {
        this.#note(connected);
        settle(null, this.#lend(connection));
      }
    });
  }

  #lend(connection: RawConnection): Lease {
    const lease = new Lease(this, connection);
    this.#leases.add(lease);
    return lease;
  }

  /** A connection that came when nobody waited any more. */
  #takeBack(connection: RawConnection | undefined): void {
    if (connection !== undefined) {
      this.#forgetIfReset(connection);
      connection.release();
    }
  }

  /** With `resetOnRelease`, mysql2 resets a connection that is given back: what set it up is undone. */
  #forgetIfReset(connection: RawConnection): void {
    if (this.pool.config.resetOnRelease === true) {
      markReset(physicalOf(connection));
    }
  }

  /**
   * Only a connection that could not be had counts against a host: one that broke may have been
   * killed by itself, and if the server is gone the next one cannot be had.
   */
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

  /** Called by the lease that ends. */
  leaseEnded(lease: Lease): void {
    this.outstanding -= lease.isInCleaning ? 0 : 1;
    this.#leases.delete(lease);
    this.#forgetIfReset(lease.connection);
  }

  /**
   * A connection that cannot be vouched for afterwards is closed: the server refused the reset, or
   * did not answer in time, or something remains.
   */
  clean(lease: Lease, { mayUseDatabase, mayHaveRole }: Traces): void {
    const { connection, physical } = lease;
    if (this.#greeting?.hasInitConnect) {
      lease.discard();
      return;
    }
    // Nobody is served by it any more; its place in the pool is still taken.
    this.outstanding -= 1;
    lease.isInCleaning = true;
    this.#inCleaning.add(lease);
    const deadline = this.#deadlines.add(() => finish(true));
    const finish = (error: unknown) => {
      this.#deadlines.remove(deadline);
      this.#inCleaning.delete(lease);
      if (error) {
        lease.discard();
      } else {
        lease.giveBack();
      }
    };
    markReset(physical);
    const database = this.pool.config.connectionConfig.database ?? null;
    const role = mayHaveRole ? (this.#greeting?.role ?? null) : undefined;
    resetConnection(connection, { database, mayUseDatabase, role }).then(() => {
      prepareConnection(connection, this.#preparation(), finish);
    }, finish);
  }

  remember(lease: Lease, isBrief: boolean, onTaken: () => void): void {
    if (!this.#remembered.add(lease, isBrief, onTaken)) {
      lease.giveBack();
      onTaken();
      return;
    }
    this.outstanding -= 1;
    this.#leases.delete(lease);
  }

  recall(lease: Lease): boolean {
    if (!this.#remembered.remove(lease)) {
      return false;
    }
    if (mayBeDead(lease.physical, this.#policy.checkIdleAfter)) {
      // Whoever gets it next asks for a sign of life first.
      lease.connection.release();
      return false;
    }
    this.outstanding += 1;
    this.#leases.add(lease);
    return true;
  }

  /** Gives back what is only remembered, and closes what is not clean yet, for good. */
  close(): void {
    this.#remembered.close();
    for (const lease of this.#inCleaning) {
      lease.discard();
    }
  }

  /** Whether no further connection can be had before one is given back. */
  get #isFull(): boolean {
    const limit = this.pool.config.connectionLimit ?? 10;
    return limit > 0 && this.#leases.size + this.#remembered.count >= limit;
  }

  #connect(
    prepare: (connection: RawConnection) => void,
    callback: (error: DriverError | null, connection?: RawConnection) => void,
  ): void {
    this.#take((error, connection) => {
      if (error !== null || connection === undefined) {
        callback(error);
        return;
      }
      const physical = physicalOf(connection);
      if (this.#isShared) {
        // Others use the user's own pool too, and insert there.
        physical.inserted.mayHaveMore();
      }
      if (this.#isOutOfDate(physical)) {
        discardConnection(connection);
        this.#connect(prepare, callback);
      } else if (physical.preparedAs !== this.role) {
        prepare(connection);
        prepareConnection(connection, this.#preparation(), callback);
      } else if (mayBeDead(physical, this.#policy.checkIdleAfter)) {
        prepare(connection);
        this.#checkLiveness(connection, prepare, callback);
      } else {
        callback(null, connection);
      }
    });
  }

  /** Whether it is to be replaced; one that is new is told when. */
  #isOutOfDate(physical: Physical): boolean {
    const { maxLifetime } = this.#policy;
    if (physical.preparedAs === null && !physical.isReset) {
      physical.generation = this.#generation;
      if (maxLifetime !== false && !this.#isShared) {
        // Not all at once: they may have been opened together.
        physical.expiresAt = performance.now() + maxLifetime * (1 - Math.random() / 10);
      }
      return false;
    }
    const isOld = physical.expiresAt !== Number.POSITIVE_INFINITY;
    const isReplaced = !this.#isShared && physical.generation !== this.#generation;
    return isReplaced || (isOld && performance.now() > physical.expiresAt);
  }

  #checkLiveness(
    connection: RawConnection,
    prepare: (connection: RawConnection) => void,
    callback: (error: DriverError | null, connection?: RawConnection) => void,
  ): void {
    const goOn = () => this.#connect(prepare, callback);
    if (physicalOf(connection).idleSince < this.#silentSince) {
      // It has idled for longer than one that gave no sign of life: to wait for each adds up.
      discardConnection(connection);
      goOn();
      return;
    }
    const startedAt = performance.now();
    checkLiveness(connection, this.#policy.acquireTimeout, (sign) => {
      if (sign === 'silent') {
        this.#silentSince = startedAt;
      }
      if (sign === 'alive') {
        callback(null, connection);
      } else {
        goOn();
      }
    });
  }

  /** What is only remembered comes from a full pool, and before a new login. */
  #take(callback: (error: DriverError | null, connection?: RawConnection) => void): void {
    const taken = this.#isFull ? this.#remembered.takeOldest() : this.#remembered.takeStale();
    if (taken === null) {
      this.pool.getConnection(callback);
    } else {
      process.nextTick(callback, null, taken);
    }
  }

  #preparation(): Preparation {
    const { name, role } = this;
    return {
      name,
      role,
      onCreateConnection: this.#policy.onCreateConnection,
      greeting: this.#greeting,
      onGreeting: (greeting) => this.#greeted(greeting),
      onLost: (error) => this.connectionLost(codeOf(error)),
    };
  }

  #greeted(greeting: Greeting): void {
    if (this.#greeting === null) {
      this.#greeting = greeting;
      this.#policy.onVersion(greeting.version);
    }
  }

  #refused(error: DriverError): LeaseFailure {
    if (!isBusy(error)) {
      this.#failed(error);
    } else if (error.errno !== undefined) {
      // It has no room, and said so: it is there.
      this.#note(connected);
    }
    return { error };
  }

  /** A full pool is the caller's to solve; a host that does not answer is not. */
  #timedOut(timeout: number): LeaseFailure {
    const limit = this.pool.config.connectionLimit ?? 10;
    const isFull = this.#isFull;
    const why = isFull
      ? `all ${limit} connections of its pool are in use`
      : 'the server did not answer';
    const error = new RwSplitError(
      'RWSPLIT_ACQUIRE_TIMEOUT',
      `No connection to ${this.role} ${this.name} within ${timeout} ms: ${why}`,
      { isRetryable: true },
    );
    if (!isFull) {
      // It may be slow, or busy with logins: it is asked, and only then judged.
      this.connectionLost(error.code);
    }
    return { error };
  }
}

function addressIn({ config }: RawPool): Address {
  const { socketPath, host = 'localhost', port = 3306 } = config.connectionConfig;
  return socketPath ?? addressOf(host, port);
}

const connected: HealthEvent = { kind: 'connected' };
