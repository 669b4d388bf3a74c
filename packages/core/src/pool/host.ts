import { RwSplitError } from '../errors.ts';
import { failed, type Health, healthy, isAvailable, probing } from '../hosts/health.ts';
import type { Role } from '../routing/reasons.ts';
import { Deadlines } from './deadlines.ts';
import { codeOf, isBusy } from './failure.ts';
import type { HostInfo, OnCreateConnection } from './host-info.ts';
import { Lease, type LeasingHost } from './lease.ts';
import type { DriverError, RawConnection, RawPool } from './mysql2.ts';
import {
  forgetPreparation,
  isPrepared,
  type Preparation,
  prepareConnection,
} from './prepare-connection.ts';

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
  /** The server's own `VERSION()`; `null` before the first connection. */
  version: string | null = null;
  #health: Health = healthy;
  readonly #policy: HostPolicy;
  readonly #deadlines: Deadlines;

  constructor(info: HostInfo, pool: RawPool, policy: HostPolicy) {
    this.name = info.name;
    this.role = info.role;
    this.pool = pool;
    this.#policy = policy;
    this.#deadlines = new Deadlines(policy.acquireTimeout);
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
      preparing?.destroy();
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
      forgetPreparation(connection);
    }
  }

  /**
   * Only a connection that could not be had counts against a host: one that broke may have been
   * killed by itself, and if the server is gone the next one cannot be had.
   */
  #failed(error: DriverError): void {
    const wasUp = this.#health.failures === 0;
    this.#health = failed(this.#health, codeOf(error), Date.now(), Math.random());
    if (wasUp) {
      this.#policy.onHealthChange(this, this.#health);
    }
  }

  /** Called by the lease that ends. */
  leaseEnded(connection: RawConnection): void {
    this.outstanding -= 1;
    this.#leased -= 1;
    this.#forgetIfReset(connection);
  }

  #connect(
    prepare: (connection: RawConnection) => void,
    callback: (error: DriverError | null, connection?: RawConnection) => void,
  ): void {
    this.pool.getConnection((error, connection) => {
      if (error !== null || connection === undefined) {
        callback(error);
      } else if (isPrepared(connection, this.role)) {
        callback(null, connection);
      } else {
        prepare(connection);
        prepareConnection(connection, this.#preparation(), callback);
      }
    });
  }

  #preparation(): Preparation {
    const { name, role } = this;
    const { onCreateConnection } = this.#policy;
    const onVersion = (version: string) => {
      this.version = version;
      this.#policy.onVersion(version);
    };
    return { name, role, onCreateConnection, onVersion: this.version === null ? onVersion : null };
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
    const isFull = limit > 0 && this.#leased >= limit;
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
