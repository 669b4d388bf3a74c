import { poolClosed, RwSplitError } from '../errors.ts';
import type { Role } from '../routing/reasons.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import type { HostInfo, OnCreateConnection } from './host-info.ts';
import type { Lease, Traces } from './lease.ts';
import { checkLiveness, mayBeDead } from './liveness.ts';
import {
  breakConnection,
  type DriverError,
  discardConnection,
  freeConnections,
  limitOf,
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

/** Told the connection, or why there is none; exactly once. */
export type ConnectCallback = (error: DriverError | null, connection?: RawConnection) => void;

/** How connections are had and kept; the same for all hosts of a pool. */
export interface ConnectionsPolicy {
  /** How long a statement waits for a connection, in milliseconds. */
  readonly acquireTimeout: number;
  /** How long a host that is down may take to show that it is not, in milliseconds. */
  readonly probeTimeout: number;
  /** After how many milliseconds of idling a connection is asked for a sign of life; `false`: never. */
  readonly checkIdleAfter: number | false;
  /** The age at which a connection is replaced, in milliseconds; `false`: never. */
  readonly maxLifetime: number | false;
  readonly onCreateConnection: OnCreateConnection | null;
  /** Told the server's `VERSION()`, by the first connection of each host. */
  readonly onVersion: (version: string) => void;
}

/** What connections need of the host that they are to. */
export interface Owner extends HostInfo {
  /** Told when the server has said something. */
  heard(): void;
  /** Told when a connection broke, or could not be had in time although there was room for it. */
  connectionLost(code: string): void;
}

/** Asks for a connection that the server has just said something on. */
interface Request {
  readonly deadline: Deadline;
  /** Which generation one is of that is opened for it. */
  generation: number;
  /** The one that is being made ready, to be closed if that is never answered. */
  preparing: RawConnection | null;
  /** Whether one that has idled will not do. */
  readonly mustHear: boolean;
  readonly callback: ConnectCallback;
}

/** The connections to one host: who has them, what they are set up as, and how old they are. */
export class Connections {
  /** Statements and sessions that have a connection, or wait for one. */
  outstanding = 0;
  /** What the server said to the first connection; `null` before that. */
  greeting: Greeting | null = null;
  readonly #pool: RawPool;
  readonly #owner: Owner;
  readonly #policy: ConnectionsPolicy;
  readonly #deadlines: Deadlines;
  readonly #trials: Deadlines;
  readonly #leases = new Set<Lease>();
  readonly #remembered: Remembered;
  readonly #inCleaning = new Set<Lease>();
  /** Whether others than rwsplit may use the pool. */
  readonly #isShared: boolean;
  /** Grows when all connections are to be replaced. */
  #generation = 0;
  /** When a connection was pinged last that did not answer. */
  #silentSince = 0;

  constructor(owner: Owner, pool: RawPool, isShared: boolean, policy: ConnectionsPolicy) {
    this.#owner = owner;
    this.#pool = pool;
    this.#isShared = isShared;
    this.#policy = policy;
    this.#deadlines = new Deadlines(policy.acquireTimeout);
    this.#trials = new Deadlines(policy.probeTimeout);
    this.#remembered = new Remembered(pool);
  }

  /**
   * Asks for a connection that is ready for statements. The callback is called exactly once; a
   * connection that comes after the timeout goes straight back.
   *
   * @param isTrial whether the host is down, as far as is known: it has less time, and has to answer.
   */
  connect(isTrial: boolean, callback: ConnectCallback): void {
    const deadlines = isTrial ? this.#trials : this.#deadlines;
    this.outstanding += 1;
    const deadline = deadlines.add((why) => {
      // One whose set-up is never answered would keep its place in the pool for ever.
      if (request.preparing !== null) {
        discardConnection(request.preparing);
      }
      settle(why ?? (isTrial ? silence() : this.#timedOut()));
    });
    const settle: ConnectCallback = (error, connection) => {
      deadlines.remove(deadline);
      if (error !== null) {
        this.outstanding -= 1;
      }
      callback(error, connection);
    };
    const request: Request = {
      deadline,
      generation: this.#generation,
      preparing: null,
      mustHear: isTrial,
      callback: (error, connection) => {
        request.preparing = null;
        if (deadline.isOver) {
          this.#takeBack(connection);
        } else if (error !== null || connection === undefined) {
          settle(error ?? new Error('mysql2 gave no connection'));
        } else {
          settle(null, connection);
        }
      },
    };
    this.#find(request);
  }

  /** To be called with each lease on a connection that was had here. */
  lent(lease: Lease): void {
    this.#leases.add(lease);
  }

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
    if (this.greeting?.hasInitConnect) {
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
    const database = this.#pool.config.connectionConfig.database ?? null;
    const role = mayHaveRole ? (this.greeting?.role ?? null) : undefined;
    resetConnection(connection, { database, mayUseDatabase, role }).then(() => {
      prepareConnection(connection, this.#preparation(), finish);
    }, finish);
  }

  remember(lease: Lease, isBrief: boolean, onTaken: () => void): void {
    if (this.hasReplaced(lease) || !this.#remembered.add(lease, isBrief, onTaken)) {
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

  /** Whether connections have been replaced since a lease began. */
  hasReplaced({ physical }: Lease): boolean {
    return this.#isReplaced(physical);
  }

  /**
   * Has every connection replaced: idle ones are closed now, others when they are given back. Connections
   * of a pool that somebody made are left to that.
   */
  replace(): void {
    this.#generation += 1;
    this.#remembered.drop();
    this.closeIdle();
  }

  /** Closes connections that nobody uses. */
  closeIdle(): void {
    if (!this.#isShared) {
      for (const connection of freeConnections(this.#pool)) {
        discardConnection(connection);
      }
    }
  }

  /** Tells those who wait for a connection that they need not wait for longer. */
  failWaiting(why: Error): void {
    this.#deadlines.missAll(why);
  }

  /** Fails what runs on connections. */
  break(why: Error): void {
    for (const { connection } of [...this.#leases]) {
      breakConnection(connection, why);
    }
  }

  /** Gives back what is only remembered, and closes what is not clean yet, for good. */
  close(): void {
    this.#remembered.close();
    for (const lease of this.#inCleaning) {
      lease.discard();
    }
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
    if (this.#pool.config.resetOnRelease === true) {
      markReset(physicalOf(connection));
    }
  }

  /** Whether no further connection can be had before one is given back. */
  get isFull(): boolean {
    return this.#leases.size + this.#remembered.count >= limitOf(this.#pool);
  }

  #find(request: Request): void {
    request.preparing = null;
    request.generation = this.#generation;
    if (request.deadline.isOver) {
      return;
    }
    this.#take((error, connection) => {
      if (error !== null || connection === undefined) {
        // mysql2's own error for that has no code.
        request.callback(
          error?.message === 'Pool is closed.' ? poolClosed('gives no more connections') : error,
        );
      } else {
        this.#makeReady(connection, request);
      }
    });
  }

  #makeReady(connection: RawConnection, request: Request): void {
    const physical = physicalOf(connection);
    const { role } = this.#owner;
    if (this.#isShared) {
      // Others use the user's own pool too, and insert there.
      physical.inserted.mayHaveMore();
    }
    if (this.#isOutOfDate(physical, request.generation)) {
      discardConnection(connection);
      this.#find(request);
    } else if (request.deadline.isOver) {
      // Nobody would end a set-up that is never answered.
      request.callback(null, connection);
    } else if (physical.preparedAs !== role) {
      request.preparing = connection;
      prepareConnection(connection, this.#preparation(), (error) => {
        if (error === null) {
          this.#heard(connection, request);
        } else {
          request.callback(error);
        }
      });
    } else if (request.mustHear || mayBeDead(physical, this.#policy.checkIdleAfter)) {
      request.preparing = connection;
      this.#checkLiveness(connection, request);
    } else {
      request.callback(null, connection);
    }
  }

  /** The server has answered; but the host may be another one by now than what it was asked as. */
  #heard(connection: RawConnection, request: Request): void {
    this.#owner.heard();
    const physical = physicalOf(connection);
    if (physical.preparedAs === this.#owner.role && !this.#isReplaced(physical)) {
      request.callback(null, connection);
    } else {
      discardConnection(connection);
      this.#find(request);
    }
  }

  #isReplaced({ generation }: Physical): boolean {
    return !this.#isShared && generation !== this.#generation;
  }

  /**
   * Whether it is to be replaced; one that is new is told when.
   *
   * @param generation which one it is of if it is new: its login may have begun before all were replaced.
   */
  #isOutOfDate(physical: Physical, generation: number): boolean {
    const { maxLifetime } = this.#policy;
    if (physical.preparedAs === null && !physical.isReset) {
      physical.generation = generation;
      if (maxLifetime !== false && !this.#isShared) {
        // Not all at once: they may have been opened together.
        physical.expiresAt = performance.now() + maxLifetime * (1 - Math.random() / 10);
      }
      return this.#isReplaced(physical);
    }
    const mayBeOld = physical.expiresAt !== Number.POSITIVE_INFINITY;
    return this.#isReplaced(physical) || (mayBeOld && performance.now() > physical.expiresAt);
  }

  #checkLiveness(connection: RawConnection, request: Request): void {
    if (physicalOf(connection).idleSince < this.#silentSince) {
      // It has idled for longer than one that gave no sign of life: to wait for each adds up.
      discardConnection(connection);
      this.#find(request);
      return;
    }
    const startedAt = performance.now();
    checkLiveness(connection, this.#policy.acquireTimeout, (sign) => {
      if (sign === 'silent') {
        this.#silentSince = startedAt;
      }
      if (sign === 'alive') {
        this.#heard(connection, request);
      } else {
        this.#find(request);
      }
    });
  }

  /** What is only remembered comes from a full pool, and before a new login. */
  #take(callback: ConnectCallback): void {
    const taken = this.isFull ? this.#remembered.takeOldest() : this.#remembered.takeStale();
    if (taken === null) {
      this.#pool.getConnection(callback);
    } else {
      process.nextTick(callback, null, taken);
    }
  }

  #preparation(): Preparation {
    const { name, role } = this.#owner;
    return {
      name,
      role,
      onCreateConnection: this.#policy.onCreateConnection,
      greeting: this.greeting,
      onGreeting: (greeting) => this.#greeted(greeting, role),
      onLost: ({ code = 'ECONNRESET' }) => this.#owner.connectionLost(String(code)),
    };
  }

  /** @param role what the host was when it was greeted: what it says depends on that. */
  #greeted(greeting: Greeting, role: Role): void {
    if (this.greeting === null && role === this.#owner.role) {
      this.greeting = greeting;
      this.#policy.onVersion(greeting.version);
    }
  }

  /** A full pool is the caller's to solve; a host that does not answer is not. */
  #timedOut(): RwSplitError {
    const isFull = this.isFull;
    const why = isFull
      ? `all ${limitOf(this.#pool)} connections of its pool are in use`
      : 'the server did not answer';
    const { role, name } = this.#owner;
    const error = new RwSplitError(
      'RWSPLIT_ACQUIRE_TIMEOUT',
      `No connection to ${role} ${name} within ${this.#policy.acquireTimeout} ms: ${why}`,
      { isRetryable: true },
    );
    if (!isFull) {
      // It may be slow, or busy with logins: it is asked, and only then judged.
      this.#owner.connectionLost(error.code);
    }
    return error;
  }
}

/** A server that did not answer in time. */
export function silence(): DriverError {
  return Object.assign(new Error('The server did not answer in time'), { code: 'ETIMEDOUT' });
}
