import type { Role } from '../routing/reasons.ts';
import type { HostInfo } from './host-info.ts';
import { discardConnection, type RawConnection } from './mysql2.ts';
import { type Physical, physicalOf } from './physical.ts';

/** What a session may have left in its connection that a reset keeps. */
export interface Traces {
  readonly mayUseDatabase: boolean;
  readonly mayHaveRole: boolean;
}

/** What a lease needs of the host that it is from. */
export interface LeasingHost extends HostInfo {
  /** How many statements run on it. */
  running: number;
  /** Called when a connection of it broke. */
  connectionLost(code: string): void;
  /** Called when it has answered a statement, whatever it said. */
  answered(): void;
  /** Whether its connections have been replaced since one was taken. */
  hasReplaced(lease: Lease): boolean;
  /** Called once, when the lease ends. */
  leaseEnded(lease: Lease): void;
  /** Resets the connection, sets it up again, and gives it back. */
  clean(lease: Lease, traces: Traces): void;
  /** Keeps the connection for its session, until somebody needs it more. */
  remember(lease: Lease, isBrief: boolean, onTaken: () => void): void;
  /** Whether the connection was still there for its session. */
  recall(lease: Lease): boolean;
}

/** One checkout of a physical connection. It ends exactly once, whoever ends it first. */
export class Lease {
  readonly host: LeasingHost;
  /** What the host was when the connection was taken: it may be another since. */
  readonly role: Role;
  readonly connection: RawConnection;
  readonly physical: Physical;
  /** How many insert ids the server had told others, and whether it may know any of others. */
  readonly insertsBefore: number;
  readonly hasInsertsOfOthers: boolean;
  /** Whether it has told all of them. */
  readonly knowsInsertsOfOthers: boolean;
  /** Whether the session is done with it, and the host is not. */
  isInCleaning = false;
  #isRunning = false;
  #hasEnded = false;

  constructor(host: LeasingHost, connection: RawConnection) {
    this.host = host;
    this.role = host.role;
    this.connection = connection;
    this.physical = physicalOf(connection);
    this.insertsBefore = this.physical.inserted.count;
    this.hasInsertsOfOthers = !this.physical.inserted.isEmpty;
    this.knowsInsertsOfOthers = this.physical.inserted.isComplete;
  }

  /** A statement was sent on it. */
  began(): void {
    this.#isRunning = true;
    this.host.running += 1;
  }

  /** It was answered, or it is known that it never will be. */
  ended(): void {
    if (this.#isRunning) {
      this.#isRunning = false;
      this.host.running -= 1;
    }
  }

  /** Gives the connection back for its next user, who will find nothing of this one. */
  giveBack(): void {
    if (this.#end()) {
      if (this.host.hasReplaced(this)) {
        discardConnection(this.connection);
        return;
      }
      this.physical.idleSince = performance.now();
      this.connection.release();
    }
  }

  /** Closes a connection that nobody else must meet: broken, or busy with what was given up. */
  discard(): void {
    if (this.#end()) {
      discardConnection(this.connection);
    }
  }

  /**
   * Gives the connection back without what its session left in it.
   *
   * @param traces what it may have left that a reset keeps.
   */
  clean(traces: Traces): void {
    if (!this.#hasEnded) {
      this.host.clean(this, traces);
    }
  }

  /**
   * Lays the connection aside between two statements of its session: {@link recall} gets it back,
   * unless somebody needed it.
   *
   * @param isBrief whether it goes back by itself after a while.
   * @param onTaken called when somebody took it, or it went back; the lease has ended then.
   */
  remember(isBrief: boolean, onTaken: () => void): void {
    this.host.remember(this, isBrief, onTaken);
  }

  /** Whether the connection that was laid aside is still there, and in use again. */
  recall(): boolean {
    return this.host.recall(this);
  }

  #end(): boolean {
    if (this.#hasEnded) {
      return false;
    }
    this.#hasEnded = true;
    this.ended();
    this.host.leaseEnded(this);
    return true;
  }
}
