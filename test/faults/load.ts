import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../contract/apis.ts';
import { codeOf, Ledger, type Outcome } from './ledger.ts';

/** Between two statements of a client, in milliseconds: the servers share two cores with them. */
const pause = 2;

/**
 * Clients that read, write and make short transactions on one pool, until they are stopped. Every read
 * has one right answer: a client also reads what it was told that it has written.
 */
export class Load {
  readonly ledger: Ledger;
  /** Codes of reads that failed. */
  readonly failedReads: string[] = [];
  /** Reads that showed something else than there is. */
  readonly wrongReads: string[] = [];
  readonly #api: Api;
  readonly #seesOwnWrites: boolean;
  readonly #clients: readonly Promise<void>[];
  #reads = 0;
  #isRunning = true;

  /** @param seesOwnWrites whether reads are to find the writes before them. */
  constructor(api: Api, { clients = 12, database = 'app', seesOwnWrites = true } = {}) {
    this.#api = api;
    this.#seesOwnWrites = seesOwnWrites;
    this.ledger = new Ledger(`${database}.entry`);
    this.#clients = Array.from({ length: clients }, (_, index) => this.#client(index));
  }

  /** Waits until so many more reads were answered. */
  async reads(count: number): Promise<void> {
    const goal = this.#reads + count;
    await until(() => this.#reads >= goal);
  }

  /** Waits until so many more writes had this outcome. */
  async writes(count: number, outcome: Outcome = 'acknowledged'): Promise<void> {
    const goal = this.ledger.count(outcome) + count;
    await until(() => this.ledger.count(outcome) >= goal);
  }

  /** Ends it; resolves when the last statement is answered. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#clients);
  }

  async #client(index: number): Promise<void> {
    let own: number | null = null;
    for (let turn = index; this.#isRunning; turn++) {
      switch (turn % 6) {
        case 0:
          own = (await this.#insert()) ?? own;
          break;
        case 3:
          await this.#transact();
          break;
        case 1:
          await this.#readOwn(own);
          break;
        default:
          await this.#read('SELECT COUNT(*) AS n FROM item WHERE id <= ?', 3, 3);
      }
      await sleep(pause);
    }
  }

  async #readOwn(id: number | null): Promise<void> {
    if (id !== null && this.#seesOwnWrites) {
      await this.#read('SELECT COUNT(*) AS n FROM entry WHERE id = ?', id, 1);
    }
  }

  async #read(sql: string, value: number, expected: number): Promise<void> {
    try {
      const rows = await this.#api.run(sql, [value]);
      const n = (rows as { n: number }[])[0]?.n;
      if (n !== expected) {
        this.wrongReads.push(`${sql} (${value}): ${n} instead of ${expected}`);
      }
      this.#reads += 1;
    } catch (error) {
      this.failedReads.push(codeOf(error));
    }
  }

  #insert(): Promise<number | null> {
    return this.ledger.write(1, (id) =>
      this.#api.run('INSERT INTO entry (id, part) VALUES (?, 1)', [id]),
    );
  }

  #transact(): Promise<number | null> {
    return this.ledger.write(2, (id) =>
      this.#api.transaction(async (run) => {
        await run('INSERT INTO entry (id, part) VALUES (?, 1)', [id]);
        await run('SELECT COUNT(*) AS n FROM entry WHERE id = ?', [id]);
        await run('INSERT INTO entry (id, part) VALUES (?, 2)', [id]);
      }),
    );
  }
}

/** Looks now and then until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await sleep(5);
  }
}
