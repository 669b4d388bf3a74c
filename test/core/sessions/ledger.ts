import type { Pool, PoolConnection } from 'mysql2';

/** What mysql2 keeps on a connection of a pool; `null` once the connection has left it. */
interface Pooled {
  readonly _pool?: Pool | null;
}

/** What one connection went through. */
interface Account {
  handedOut: number;
  isOut: boolean;
  /** By mysql2's events, which tell nothing of a connection handed straight to whoever waited. */
  isAcquired: boolean;
}

/**
 * Counts what leaves one mysql2 pool against what comes back, connection by connection. mysql2 itself
 * takes no notice of a second `release()`, unless somebody else has the connection by then.
 *
 * It has to be there before the first request: nothing but the callback of a request tells of a
 * connection that goes from one user straight to the next.
 */
export class Ledger {
  readonly pool: Pool;
  /** Where its server listens. */
  readonly port: number | undefined;
  /** What must never happen, in words. */
  readonly violations: string[] = [];
  readonly #accounts = new Map<PoolConnection, Account>();
  readonly #counted = new WeakSet<object>();
  #acquired = 0;
  #released = 0;
  #lostWhileAcquired = 0;

  constructor(pool: Pool, port: number | undefined) {
    this.pool = pool;
    this.port = port;
    this.#countHandingOut();
    this.#countComingBack();
    this.#countEvents();
  }

  /** Connections that somebody has. */
  get out(): number {
    return [...this.#accounts.values()].filter(({ isOut }) => isOut).length;
  }

  /** The connections that nobody has, by their ids, each with how often it was handed out. */
  get idle(): ReadonlyMap<number, number> {
    const idle = [...this.#accounts].filter(([each, { isOut }]) => !isOut && !isGone(each));
    return new Map(idle.map(([{ threadId }, { handedOut }]) => [Number(threadId), handedOut]));
  }

  /** By mysql2's `acquire` and `release` events: how often connections were taken, and what ended that. */
  get events() {
    return {
      acquired: this.#acquired,
      released: this.#released,
      lost: this.#lostWhileAcquired,
    };
  }

  #countHandingOut(): void {
    const { pool } = this;
    const getConnection = pool.getConnection.bind(pool);
    type Callback = Parameters<typeof getConnection>[0];
    pool.getConnection = (callback: Callback) => {
      // A waiting callback comes here again when a connection that was in use is lost.
      if (this.#counted.has(callback)) {
        getConnection(callback);
        return;
      }
      const counting: Callback = (error, connection) => {
        if (connection !== undefined) {
          this.#handOut(connection);
        }
        callback(error, connection);
      };
      this.#counted.add(counting);
      getConnection(counting);
    };
  }

  #handOut(connection: PoolConnection): void {
    const account = this.#account(connection);
    if (account.isOut) {
      this.violations.push(`connection ${connection.threadId} was handed out while it was out`);
    }
    account.handedOut += 1;
    // It may have died on its way.
    account.isOut = !isGone(connection);
  }

  #countComingBack(): void {
    const { pool } = this;
    const releaseConnection = pool.releaseConnection.bind(pool);
    pool.releaseConnection = (connection) => {
      const account = this.#accounts.get(connection as PoolConnection);
      if (account !== undefined && isGone(connection)) {
        this.#lose(account);
      }
      releaseConnection(connection);
    };
  }

  #lose(account: Account): void {
    account.isOut = false;
    if (account.isAcquired) {
      account.isAcquired = false;
      this.#lostWhileAcquired += 1;
    }
  }

  #countEvents(): void {
    this.pool.on('acquire', (connection) => {
      const account = this.#account(connection);
      if (account.isAcquired) {
        this.violations.push(`connection ${connection.threadId} was acquired twice`);
      }
      account.isAcquired = true;
      this.#acquired += 1;
    });
    this.pool.on('release', (connection) => {
      const account = this.#account(connection);
      if (!account.isAcquired) {
        this.violations.push(`connection ${connection.threadId} came back twice`);
      }
      account.isAcquired = false;
      this.#released += 1;
    });
  }

  #account(connection: PoolConnection): Account {
    const known = this.#accounts.get(connection);
    if (known !== undefined) {
      return known;
    }
    const account = { handedOut: 0, isOut: false, isAcquired: false };
    this.#accounts.set(connection, account);
    const release = connection.release.bind(connection);
    connection.release = () => {
      if (account.isOut) {
        account.isOut = false;
      } else if (!isGone(connection)) {
        this.violations.push(`connection ${connection.threadId} was released while it was in`);
      }
      release();
    };
    return account;
  }
}

function isGone(connection: object): boolean {
  return ((connection as Pooled)._pool ?? null) === null;
}
