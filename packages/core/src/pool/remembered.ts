import type { Lease } from './lease.ts';
import {
  discardConnection,
  hasFree,
  isDead,
  mayHaveWaiters,
  type RawConnection,
  type RawPool,
} from './mysql2.ts';

/** How long a connection is remembered for a flow that may be over, in milliseconds. */
const longestBrief = 1000;
/** After that long, somebody else's next statement has it before a new connection is opened. */
const staleAfter = 20;

interface Entry {
  readonly isBrief: boolean;
  readonly onTaken: () => void;
}

/**
 * Connections of one host that sessions use between two statements of theirs, so that the second can
 * ask about the first. Nobody waits for them: who needs a connection gets the oldest.
 */
export class Remembered {
  readonly #pool: RawPool;
  /** Oldest first. */
  readonly #leases = new Map<Lease, Entry>();
  #timer: NodeJS.Timeout | null = null;
  #isListening = false;
  #isClosed = false;

  constructor(pool: RawPool) {
    this.#pool = pool;
  }

  get count(): number {
    return this.#leases.size;
  }

  /** Whether it is kept: not if somebody waits for it, or would be refused because of it. */
  add(lease: Lease, isBrief: boolean, onTaken: () => void): boolean {
    const { config } = this.#pool;
    const isRefusing = config.waitForConnections === false || config.resetOnRelease === true;
    if (this.#isClosed || isRefusing || mayHaveWaiters(this.#pool)) {
      return false;
    }
    this.#listen();
    lease.physical.idleSince = performance.now();
    this.#leases.set(lease, { isBrief, onTaken });
    if (isBrief) {
      this.#timer ??= setTimeout(() => this.#sweep(), longestBrief).unref();
    }
    return true;
  }

  /** Whether it was there, and is its session's again. */
  remove(lease: Lease): boolean {
    return this.#leases.delete(lease) && !this.#endIfDead(lease);
  }

  /** The connection that was laid aside first; its session has lost it. */
  takeOldest(): RawConnection | null {
    for (const lease of this.#leases.keys()) {
      this.#lose(lease);
      if (!this.#endIfDead(lease)) {
        return lease.connection;
      }
    }
    return null;
  }

  /** A connection that was laid aside for a flow, and would else idle while another one is opened. */
  takeStale(): RawConnection | null {
    if (this.#leases.size === 0 || hasFree(this.#pool)) {
      return null;
    }
    const latest = performance.now() - staleAfter;
    for (const [lease, { isBrief }] of this.#leases) {
      if (isBrief && lease.physical.idleSince < latest) {
        this.#lose(lease);
        return this.#endIfDead(lease) ? null : lease.connection;
      }
    }
    return null;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer ?? undefined);
    for (const lease of this.#leases.keys()) {
      this.#lose(lease);
      lease.connection.release();
    }
  }

  /** Closes them all: their sessions have lost them. */
  drop(): void {
    for (const lease of this.#leases.keys()) {
      this.#lose(lease);
      discardConnection(lease.connection);
    }
  }

  #lose(lease: Lease): void {
    const entry = this.#leases.get(lease);
    this.#leases.delete(lease);
    entry?.onTaken();
  }

  #sweep(): void {
    this.#timer = null;
    const latest = performance.now() - longestBrief;
    for (const [lease, { isBrief }] of this.#leases) {
      if (!isBrief) {
        continue;
      }
      if (lease.physical.idleSince > latest) {
        this.#timer ??= setTimeout(() => this.#sweep(), longestBrief).unref();
      } else {
        this.#lose(lease);
        lease.connection.release();
      }
    }
  }

  #endIfDead({ connection }: Lease): boolean {
    if (!isDead(connection)) {
      return false;
    }
    discardConnection(connection);
    return true;
  }

  /** A pool that a user made has other users, who wait in mysql2's own queue. */
  #listen(): void {
    if (this.#isListening) {
      return;
    }
    this.#isListening = true;
    this.#pool.on('enqueue', () => {
      // mysql2 says so before it puts the request into its queue.
      process.nextTick(() => this.takeOldest()?.release());
    });
  }
}
