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
    const connection: SideConnection = new SideConnection(this.#primary(), () => {
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
    this.#sql = null;
    connection?.close();
  }
}

/**
 * MySQL shows a transaction to others before it counts it as executed; until then it is owned by its
 * session. In this order: nothing gets from the first set to the second unseen.
 */
const mysqlQuestion = 'SELECT @@GLOBAL.gtid_owned, @@GLOBAL.gtid_executed';
/** MariaDB writes its binary log before it shows a transaction. */
const mariadbQuestion = 'SELECT NULL, @@GLOBAL.gtid_binlog_pos';

async function questionFor(connection: SideConnection): Promise<string> {
  const [row] = await connection.query('SELECT VERSION()');
  return /mariadb/i.test(String(row?.[0])) ? mariadbQuestion : mysqlQuestion;
}

function executedIn([owned, executed]: readonly unknown[]): GtidSet | null {
  const text = String(executed ?? '');
  if (owned === null) {
    return parseGtidSet(text, 'mariadb');
  }
  const set = parseGtidSet(text, 'mysql');
  const moving = parseOwnedGtids(String(owned));
  return set === null || moving === null ? null : union(set, moving);
}
