import { RwSplitError } from '../errors.ts';
import type { GtidDialect } from '../gtid/set.ts';
import { failed, type Health, healthy, isAvailable, probing } from '../hosts/health.ts';
import type { Role } from '../routing/reasons.ts';
import { Deadlines } from './deadlines.ts';
import { codeOf, isBusy } from './failure.ts';
import type { HostInfo, OnCreateConnection } from './host-info.ts';
import { Lease, type LeasingHost, type Traces } from './lease.ts';
import { checkLiveness, mayBeDead } from './liveness.ts';
import { type DriverError, discardConnection, type RawConnection, type RawPool } from './mysql2.ts';
import { markReset, physicalOf } from './physical.ts';
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
  readonly error: Error;
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
  /** Told when a host goes down or comes back. */
  readonly onHealthChange: (host: HostInfo, health: Health) => void;
}

/** One server: its connections, its health, and how busy it is. */
export class Host implements LeasingHost {
  readonly name: string;
  readonly role: Role;
  readonly pool: RawPool;
  /** Statements and sessions that have a connection, or wait for one. */
  outstanding = 0;
  /** Those of them that have one. */
  #leased = 0;
  /** Grows with every choice; see {@link Candidate}. */
  lastChosen = 0;
  /** What the server said to the first connection; `null` before that. */
  #greeting: Greeting | null = null;
  #health: Health = healthy;
  readonly #policy: HostPolicy;
  readonly #deadlines: Deadlines;
  readonly #remembered: Remembered;
  readonly #inCleaning = new Set<Lease>();
  /** When a connection was pinged last that did not answer. */
  #silentSince = 0;

  #life: object = {};

  /** Whether others than rwsplit may use its pool. */
  readonly #isShared: boolean;

  constructor(info: HostInfo, pool: RawPool, isShared: boolean, policy: HostPolicy) {
    this.#isShared = isShared;
    this.name = info.name;
    this.role = info.role;
    this.pool = pool;
    this.#policy = policy;
    this.#deadlines = new Deadlines(policy.acquireTimeout);
    this.#remembered = new Remembered(pool);
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

  connectionLost(): void {
    this.#life = {};
  }

  get health(): Health {
    return this.#health;
  }

  isAvailable(now: number): boolean {
    return isAvailable(this.#health, now);
  }

  /**
   * Asks for a connection that is ready for statements. The callback is called exactly once; a
   * connection that comes after the timeout goes straight back.
   */
  lease(callback: LeaseCallback): void {
    this.outstanding += 1;
    this.#health = probing(this.#health, Date.now());
    let preparing: RawConnection | null = null;
    const request = this.#deadlines.add(() => {
      // One whose set-up is never answered would keep its place in the pool for ever.
      if (preparing !== null) {
        discardConnection(preparing);
      }
      settle(this.#timedOut());
    });
    const settle = (failure: LeaseFailure | null, lease?: Lease) => {
      this.#deadlines.remove(request);
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
        this.#succeeded();
        this.#leased += 1;
        settle(null, new Lease(this, connection));
      }
    });
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
    this.connectionLost();
    const wasUp = this.#health.failures === 0;
    this.#health = failed(this.#health, codeOf(error), Date.now(), Math.random());
    if (wasUp) {
      this.#policy.onHealthChange(this, this.#health);
    }
  }

  /** Called by the lease that ends. */
  leaseEnded({ connection, isInCleaning }: Lease): void {
    this.outstanding -= isInCleaning ? 0 : 1;
    this.#leased -= 1;
    this.#forgetIfReset(connection);
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
    this.#leased -= 1;
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
    this.#leased += 1;
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
    return limit > 0 && this.#leased + this.#remembered.count >= limit;
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
      if (physical.preparedAs !== this.role) {
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
      onLost: () => this.connectionLost(),
    };
  }

  #greeted(greeting: Greeting): void {
    if (this.#greeting === null) {
      this.#greeting = greeting;
      this.#policy.onVersion(greeting.version);
    }
  }

  #succeeded(): void {
    if (this.#health.failures > 0) {
      this.#health = healthy;
      this.#policy.onHealthChange(this, this.#health);
    }
  }

  #refused(error: DriverError): LeaseFailure {
    if (!isBusy(error)) {
      this.#failed(error);
    }
    return { error };
  }

  /** A full pool is the caller's to solve; a host that does not answer is not. */
  #timedOut(): LeaseFailure {
    const limit = this.pool.config.connectionLimit ?? 10;
    const isFull = this.#isFull;
    const timeout = this.#policy.acquireTimeout;
    const why = isFull
      ? `all ${limit} connections of its pool are in use`
      : 'the server did not answer';
    const error = new RwSplitError(
      'RWSPLIT_ACQUIRE_TIMEOUT',
      `No connection to ${this.role} ${this.name} within ${timeout} ms: ${why}`,
      { isRetryable: true },
    );
    if (!isFull) {
      this.#failed(error);
    }
    return { error };
  }
}
