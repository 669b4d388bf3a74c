import { parseOwnedGtids } from '../gtid/owned.ts';
import { type GtidSet, parseGtidSet, union } from '../gtid/set.ts';
import type { Host } from '../pool/host.ts';
import { SideConnection } from '../pool/side-connection.ts';

/** How long one question may take, login included, in milliseconds. */
const longest = 2_000;

/** Told what the primary has executed; `null` if it cannot be had. */
export type SnapshotCallback = (executed: GtidSet | null) => void;

/**
 * What the primary has executed, asked when somebody needs to know: with a connection of its own, and one
 * question for all who ask at the same time.
 */
export class Snapshots {
  readonly #primary: () => Host;
  #connection: SideConnection | null = null;
  #sql: string | null = null;
  /** Whom the connection is to. */
  #asked: Host | null = null;
  #waiting: SnapshotCallback[] = [];
  #isRunning = false;
  #isClosed = false;

  constructor(primary: () => Host) {
    this.#primary = primary;
  }

  /** Tells a set that has all that anybody was told of before this call. */
  take(callback: SnapshotCallback): void {
    this.#waiting.push(callback);
    if (!this.#isRunning) {
      this.#isRunning = true;
      void this.#run();
    }
  }

  /** Asks another host from now on, if another one is the primary. */
  follow(): void {
    if (this.#asked !== null && this.#asked !== this.#primary()) {
      this.#drop();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Who comes while it is asked may know of more than the answer does.
      const asking = this.#waiting.splice(0);
      const executed = await this.#read().catch(() => {
        this.#drop();
        return null;
      });
      for (const callback of asking) {
        // What throws is the caller's, and no failure of ours.
        process.nextTick(callback, executed);
      }
    }
    // At once, and not when the promise is settled: who comes in between would wait for ever.
    this.#isRunning = false;
  }

  async #read(): Promise<GtidSet | null> {
    const isKept = this.#connection !== null;
    try {
      return await this.#ask();
    } catch (error) {
      this.#drop();
      if (!isKept) {
        throw error;
      }
      // One that has idled may have been closed long since.
      return await this.#ask();
    }
  }

  async #ask(): Promise<GtidSet | null> {
    if (this.#primary().isSilent) {
      // It is known not to answer: who asks need not wait for that.
      return null;
    }
    const connection = this.#connection ?? this.#open();
    connection.limit(longest);
    this.#sql ??= await questionFor(connection);
    const [row] = await connection.query(this.#sql);
    connection.limit(null);
    return executedIn(row ?? []);
  }

  #open(): SideConnection {
    if (this.#isClosed) {
      throw new Error('closed');
    }
    const primary = this.#primary();
    this.#asked = primary;
    const connection: SideConnection = new SideConnection(primary, () => {
      if (this.#connection === connection) {
        this.#drop();
      }
    });
    this.#connection = connection;
    return connection;
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = null;
    this.#asked = null;
    this.#sql = null;
    connection?.close();
  }
}

/**
 * MySQL shows a transaction to others before it counts it as executed; until then it is owned by its
 * session. In this order: nothing gets from the first set to the second unseen.
 */
const mysqlQuestion = 'SELECT @@GLOBAL.gtid_owned, @@GLOBAL.gtid_executed';
/**
 * MariaDB writes its binary log before it shows a transaction. One that was a replica before has what came
 * until then in its other position, if it does not log that too.
 */
const mariadbQuestion = 'SELECT NULL, @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_slave_pos';

export async function questionFor(connection: SideConnection): Promise<string> {
  const [row] = await connection.query('SELECT VERSION()');
  return /mariadb/i.test(String(row?.[0])) ? mariadbQuestion : mysqlQuestion;
}

export function executedIn([owned, executed, applied]: readonly unknown[]): GtidSet | null {
  const text = String(executed ?? '');
  if (owned === null) {
    const own = parseGtidSet(text, 'mariadb');
    const others = parseGtidSet(String(applied ?? ''), 'mariadb');
    return own === null || others === null ? null : union(own, others);
  }
  const set = parseGtidSet(text, 'mysql');
  const moving = parseOwnedGtids(String(owned));
  return set === null || moving === null ? null : union(set, moving);
}
