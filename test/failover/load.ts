import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, isRwSplitError, type ReplicatedPool, type StatementEvent } from '@rwsplit/core';

/** What became of the writes of a load; each has an id of its own, and is given once. */
export interface Outcome {
  readonly acknowledged: readonly number[];
  /** Whose answer was lost, and which said so. */
  readonly unknown: readonly number[];
  readonly failed: readonly { readonly id: number; readonly code: string }[];
  readonly reads: number;
  readonly failedReads: readonly string[];
}

const writers = 4;
const readers = 2;

/** Writes and reads all the time, by autocommit and in transactions, from start to stop. */
export class Load {
  readonly #pool: ReplicatedPool;
  readonly #acknowledged: number[] = [];
  readonly #unknown: number[] = [];
  readonly #failed: { id: number; code: string }[] = [];
  readonly #failedReads: string[] = [];
  readonly #clients: Promise<void>[];
  /** When a host acknowledged a write for the first time, by `performance.now()`. */
  readonly firstWrites = new Map<string, number>();
  #reads = 0;
  #lastId = 0;
  #isRunning = true;

  constructor(pool: ReplicatedPool) {
    this.#pool = pool;
    subscribe(channels.statement, this.#note);
    this.#clients = [
      ...Array.from({ length: writers }, (_, index) => this.#write(index % 2 === 0)),
      ...Array.from({ length: readers }, () => this.#read()),
    ];
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  async stop(): Promise<Outcome> {
    this.#isRunning = false;
    await Promise.all(this.#clients);
    unsubscribe(channels.statement, this.#note);
    return {
      acknowledged: this.#acknowledged,
      unknown: this.#unknown,
      failed: this.#failed,
      reads: this.#reads,
      failedReads: this.#failedReads,
    };
  }

  async #write(isAlone: boolean): Promise<void> {
    while (this.#isRunning) {
      this.#lastId += 1;
      const id = this.#lastId;
      try {
        await (isAlone ? this.#insert(id) : this.#insertInTransaction(id));
        this.#acknowledged.push(id);
      } catch (error) {
        this.#refused(id, error);
      }
    }
  }

  async #insert(id: number): Promise<void> {
    await this.#pool.promise().query('INSERT INTO written (id) VALUES (?)', [id]);
  }

  async #insertInTransaction(id: number): Promise<void> {
    const connection = await this.#pool.promise().getConnection();
    try {
      await connection.beginTransaction();
      await connection.query('INSERT INTO written (id) VALUES (?)', [id]);
      await connection.commit();
    } catch (error) {
      await connection.rollback().catch(() => {});
      throw error;
    } finally {
      connection.release();
    }
  }

  #refused(id: number, error: unknown): void {
    const code = codeOf(error);
    if (code === 'RWSPLIT_UNKNOWN_OUTCOME') {
      this.#unknown.push(id);
    } else {
      this.#failed.push({ id, code });
    }
  }

  async #read(): Promise<void> {
    while (this.#isRunning) {
      try {
        await this.#pool.promise().query('SELECT COUNT(*) FROM written');
        this.#reads += 1;
      } catch (error) {
        this.#failedReads.push(codeOf(error));
      }
    }
  }

  readonly #note = (message: unknown): void => {
    const { host, kind, error } = message as StatementEvent;
    if (host !== null && kind === 'write' && error === null && !this.firstWrites.has(host)) {
      this.firstWrites.set(host, performance.now());
    }
  };
}

function codeOf(error: unknown): string {
  if (isRwSplitError(error)) {
    return error.code;
  }
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
