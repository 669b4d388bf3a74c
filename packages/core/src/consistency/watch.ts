import { contains, formatGtidSet, type GtidSet, joined, parseGtidSet } from '../gtid/set.ts';
import { codeOf, failureOf, isOfServer } from '../pool/failure.ts';
import type { Host } from '../pool/host.ts';
import type { DriverError } from '../pool/mysql2.ts';
import { SideConnection } from '../pool/side-connection.ts';

/** How long one question waits on the server, in milliseconds; then the replica is asked what it has. */
const longestWait = 250;
/** How much longer an answer may take, in milliseconds, before the server counts as silent. */
const longestAnswer = 1_000;
/** How long a login may take, in milliseconds. */
const longestLogin = 2_000;
/** How long nothing is asked of a server that did not answer, in milliseconds. */
const restAfterFailure = 500;

const questions = {
  mysql: {
    wait: 'WAIT_FOR_EXECUTED_GTID_SET',
    executed: 'SELECT @@GLOBAL.gtid_executed',
  },
  mariadb: {
    wait: 'MASTER_GTID_WAIT',
    executed: 'SELECT @@GLOBAL.gtid_slave_pos',
  },
} as const;

/**
 * What is known of the GTID set that one replica has executed, by one connection that asks for all
 * reads together: it waits on the server for what they want, one wait at a time.
 *
 * What is known holds as long as that connection: a server that comes back may be another one, or
 * have lost something.
 */
export class Watch {
  readonly #host: Host;
  /** From when on a wait means that the replica is behind, in milliseconds. */
  readonly #patience: number;
  readonly #onLearned: () => void;
  #connection: SideConnection | null = null;
  #known: GtidSet | null = null;
  /** Sets that it is known to have, by identity. */
  #proven = new WeakSet<GtidSet>();
  #wanted: GtidSet | null = null;
  /** What is waited for now. */
  #goal: GtidSet | null = null;
  #isRunning = false;
  /** What it has not got in time, and since when. */
  #missing: GtidSet | null = null;
  #waitsSince = Number.POSITIVE_INFINITY;
  /** The host's life that the rest is about. */
  #life: object;
  #opening: SideConnection | null = null;
  #restsUntil = 0;
  #isClosed = false;

  constructor(host: Host, patience: number, onLearned: () => void) {
    this.#host = host;
    this.#patience = patience;
    this.#onLearned = onLearned;
    this.#life = host.life;
  }

  /** What is known now is known of this; another one is another server. */
  get life(): object {
    if (this.#life !== this.#host.life) {
      this.#forget();
    }
    return this.#life;
  }

  /** Whether the replica is known to have executed all of a set. */
  has(set: GtidSet): boolean {
    if (this.#life === this.#host.life && this.#proven.has(set)) {
      return true;
    }
    if (this.life && (this.#known === null || !contains(this.#known, set))) {
      return false;
    }
    this.#proven.add(set);
    return true;
  }

  /** Whether to wait for it is of no use: what was asked for before has not come in time. */
  get isBehind(): boolean {
    const now = performance.now();
    return now < this.#restsUntil || now - this.#waitsSince > this.#patience;
  }

  /** Asks until the replica has the sets, or is late; without any, for what it was late with. */
  want(sets: readonly GtidSet[]): void {
    if (sets.length === 0 && this.#goal === null) {
      this.#wanted ??= this.#missing;
    }
    for (const set of sets.filter((one) => !this.#isAskedFor(one))) {
      this.#wanted = joined(this.#wanted, set);
    }
    this.#start();
  }

  /** Whether the question that is under way is about it. */
  #isAskedFor(set: GtidSet): boolean {
    return this.#goal !== null && contains(this.#goal, set);
  }

  /** Logs in, so that the first read which wants something need not wait for that. */
  prepare(): void {
    if (this.#connection === null) {
      this.#start();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#opening?.close();
    this.#lose(false);
  }

  #start(): void {
    if (!this.#isRunning && !this.#isClosed && performance.now() >= this.#restsUntil) {
      this.#isRunning = true;
      void this.#run();
    }
  }

  #forget(): void {
    this.#life = this.#host.life;
    this.#known = null;
    this.#proven = new WeakSet();
    this.#arrived();
  }

  /** @param isHostLost whether it broke by itself: what answers next may be another server. */
  #lose(isHostLost: boolean): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
    if (isHostLost) {
      this.#host.connectionLost('PROTOCOL_CONNECTION_LOST');
    }
    this.#forget();
  }

  async #run(): Promise<void> {
    try {
      this.#connection ??= await this.#open();
      while (this.#wanted !== null && !this.#isClosed) {
        this.#goal = this.#wanted;
        this.#wanted = null;
        await this.#waitFor(this.#goal);
        this.#goal = null;
        this.#tell();
      }
    } catch (error) {
      // Reads go elsewhere.
      this.#restsUntil = performance.now() + restAfterFailure;
      if (this.#connection === null && !this.#isClosed) {
        this.#couldNotOpen(error as DriverError);
      }
      const isRefused = error instanceof Error && failureOf(error) === 'statement';
      this.#lose(this.#connection !== null && !isRefused);
      this.#tell();
    } finally {
      // At once, and not when the promise is settled: what is wanted in between would be forgotten.
      this.#isRunning = false;
      this.#goal = null;
    }
  }

  /** No read would be sent there that could tell: its health is asked for, or known. */
  #couldNotOpen(error: DriverError): void {
    if (isOfServer(error)) {
      this.#host.refused(error);
    } else {
      this.#host.connectionLost(codeOf(error));
    }
  }

  #tell(): void {
    // What it sets going may throw what is the caller's.
    process.nextTick(this.#onLearned);
  }

  async #waitFor(goal: GtidSet): Promise<void> {
    this.#waitsSince = Math.min(this.#waitsSince, performance.now());
    const connection = this.#connection;
    if (connection === null) {
      throw new Error('The connection is lost');
    }
    const { wait, executed } = questions[goal.dialect];
    const seconds = longestWait / 1000;
    // A set holds nothing but numbers, letters, colons, commas and dashes.
    const answer = await this.#ask(
      connection,
      // With a name of its own: mysql2 keeps a parser for each list of columns.
      `SELECT ${wait}('${formatGtidSet(goal)}', ${seconds}) AS reached`,
    );
    if (answer !== null && Number(answer) === 0) {
      this.#learn(goal);
      return;
    }
    this.#missing = goal;
    // It goes forward all the same, and other reads want less.
    const text = await this.#ask(connection, executed);
    const set = parseGtidSet(String(text ?? ''), goal.dialect);
    if (set !== null) {
      this.#learn(set);
    }
  }

  /** Nothing is late any more. */
  #arrived(): void {
    this.#missing = null;
    this.#waitsSince = Number.POSITIVE_INFINITY;
  }

  #learn(set: GtidSet): void {
    if (this.#connection === null) {
      return;
    }
    this.#known = joined(this.#known, set);
    if (this.#missing === null || contains(this.#known, this.#missing)) {
      this.#arrived();
    }
  }

  async #open(): Promise<SideConnection> {
    const connection: SideConnection = new SideConnection(this.#host, () => {
      if (this.#connection === connection) {
        this.#lose(true);
      }
    });
    this.#opening = connection;
    connection.limit(longestLogin);
    await connection.open();
    connection.limit(null);
    this.#opening = null;
    if (this.#isClosed) {
      connection.close();
      throw new Error('closed');
    }
    return connection;
  }

  async #ask(connection: SideConnection, sql: string): Promise<unknown> {
    connection.limit(longestWait + longestAnswer);
    const [row] = await connection.query(sql);
    connection.limit(null);
    return row?.[0];
  }
}
