import type { Server } from '../support/servers/server.ts';

/** What the client was told of a write. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

/** A write: how many rows it inserts, and what became of it. */
interface Entry {
  readonly rows: number;
  readonly outcome: Outcome;
}

let lastId = 0;

/**
 * What clients were told of their writes, to be compared with what the server has. Each write inserts
 * rows under an id of its own, and no key keeps a second copy out: a write that is sent twice shows.
 */
export class Ledger {
  readonly #entries = new Map<number, Entry>();
  readonly #table: string;
  readonly #firstId = lastId + 1;
  /** The codes that writes failed with, and how often each came. */
  readonly codes = new Map<string, number>();

  /** @param table as {@link createLedgerTable} made it. */
  constructor(table: string) {
    this.#table = table;
  }

  /** How many writes had this outcome. */
  count(outcome: Outcome): number {
    return [...this.#entries.values()].filter((entry) => entry.outcome === outcome).length;
  }

  /**
   * Makes a write, and notes what its caller is told. Nothing is tried again.
   *
   * @param rows how many rows it inserts under the id that it is given, in one transaction.
   * @returns the id if it was acknowledged.
   */
  async write(rows: number, insert: (id: number) => Promise<unknown>): Promise<number | null> {
    lastId += 1;
    const id = lastId;
    try {
      await insert(id);
      this.#entries.set(id, { rows, outcome: 'acknowledged' });
      return id;
    } catch (error) {
      const code = codeOf(error);
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
      const outcome = code === 'RWSPLIT_UNKNOWN_OUTCOME' ? 'unknown' : 'refused';
      this.#entries.set(id, { rows, outcome });
      return null;
    }
  }

  /** Where the server has something else than the clients were told; empty if all is well. */
  async mistakes(server: Server): Promise<string[]> {
    const found = await server.query<{ id: number; n: number; parts: number }>(
      `SELECT id, COUNT(*) AS n, COUNT(DISTINCT part) AS parts FROM ${this.#table}
       WHERE id BETWEEN ? AND ? GROUP BY id`,
      [this.#firstId, lastId],
    );
    const rows = new Map(found.map((row) => [row.id, row]));
    return [...this.#entries].flatMap(([id, entry]) => {
      const { n, parts } = rows.get(id) ?? { n: 0, parts: 0 };
      const isThere = n === entry.rows && parts === entry.rows;
      return isAsTold(entry.outcome, isThere, n) ? [] : [describe(id, entry, n)];
    });
  }
}

function isAsTold(outcome: Outcome, isThere: boolean, found: number): boolean {
  switch (outcome) {
    case 'acknowledged':
      return isThere;
    case 'refused':
      return found === 0;
    case 'unknown':
      return isThere || found === 0;
  }
}

function describe(id: number, { rows, outcome }: Entry, found: number): string {
  return `write ${id} of ${rows} rows: ${outcome}, found ${found} rows`;
}

/** The code of any error: of rwsplit, the driver or the server. */
export function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return String(code ?? message);
}

/** Creates a table for a {@link Ledger}. */
export async function createLedgerTable(server: Server, table: string): Promise<void> {
  await server.query(
    `CREATE TABLE ${table} (
       seq BIGINT PRIMARY KEY AUTO_INCREMENT, id INT NOT NULL, part INT NOT NULL, KEY (id))`,
  );
}
