import { createHash } from 'node:crypto';
import { type Connection, createConnection, type QueryError } from 'mysql2';

/** Where a server is, and an account on it. */
export interface Account {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** A row as the server sent it; `null` is NULL. */
export type Row = readonly (Buffer | null)[];

/** What became of a text that was sent. */
export type Outcome =
  | { readonly kind: 'done'; readonly results: readonly (readonly Row[])[] }
  | { readonly kind: 'error'; readonly errno: number; readonly code: string }
  /** It took too long and was killed. */
  | { readonly kind: 'slow' }
  /** The connection is gone. */
  | { readonly kind: 'lost' };

/** A text that takes longer is killed. */
const longestMs = 4_000;
/** A killed one that still does not end costs its connection. */
const longestAfterKillMs = 4_000;

/** One session of the server, for statements of any kind: it throws at nothing that they do. */
export class Session {
  readonly #connection: Connection;
  readonly #kill: (sql: string) => Promise<unknown>;
  #isLost = false;

  private constructor(connection: Connection, kill: (sql: string) => Promise<unknown>) {
    this.#connection = connection;
    this.#kill = kill;
    connection.on('error', () => {
      this.#isLost = true;
    });
    connection.on('end', () => {
      this.#isLost = true;
    });
  }

  /** Opens a session; `kill` runs a KILL on another one. */
  static async open(account: Account, kill: (sql: string) => Promise<unknown>): Promise<Session> {
    const connection = createConnection({
      ...account,
      // As the servers' own test client: a text may hold several statements.
      multipleStatements: true,
      // mysql2 asks for IGNORE_SPACE by itself, which changes what a call is.
      flags: ['-IGNORE_SPACE'],
      rowsAsArray: true,
      typeCast: false,
      connectTimeout: 10_000,
    });
    const session = new Session(connection, kill);
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error === null ? resolve() : reject(error)));
    });
    return session;
  }

  get id(): number {
    return this.#connection.threadId;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Runs a text of any kind. */
  run(sql: string): Promise<Outcome> {
    if (this.#isLost) return Promise.resolve({ kind: 'lost' });
    return new Promise((resolve) => {
      let isKilled = false;
      let timer = setTimeout(() => {
        isKilled = true;
        this.#kill(`KILL QUERY ${this.id}`).catch(() => {});
        timer = setTimeout(() => {
          this.close();
          this.#kill(`KILL ${this.id}`).catch(() => {});
          resolve({ kind: 'lost' });
        }, longestAfterKillMs);
      }, longestMs);
      this.#connection.query(sql, (error, rows, fields) => {
        clearTimeout(timer);
        if (isKilled) resolve({ kind: 'slow' });
        else resolve(error === null ? done(rows, fields) : this.#failed(error));
      });
    });
  }

  /** Runs a text that has to work. */
  async must(sql: string): Promise<readonly (readonly Row[])[]> {
    const outcome = await this.run(sql);
    if (outcome.kind === 'done') return outcome.results;
    throw new Error(outcome.kind === 'error' ? outcome.code : `session ${outcome.kind}`);
  }

  close(): void {
    this.#isLost = true;
    this.#connection.destroy();
  }

  #failed(error: QueryError): Outcome {
    const { errno } = error;
    // Errors of the server end nothing; all others are of the client or the connection.
    if (errno !== undefined && errno >= 1000 && !error.fatal && errno !== 4031) {
      return { kind: 'error', errno, code: error.code };
    }
    this.close();
    return { kind: 'lost' };
  }
}

/** An OK packet is an object; what several statements answer has a list of fields for each. */
function done(answer: unknown, fields: unknown): Outcome {
  const isOne = !Array.isArray(fields) || fields.every((field) => field && !Array.isArray(field));
  const answers: unknown[] = isOne || !Array.isArray(answer) ? [answer] : answer;
  return { kind: 'done', results: answers.map((each) => (Array.isArray(each) ? each : [])) };
}

/** Equal for equal rows, in whatever order they came. */
export function digest(results: readonly (readonly Row[])[]): string {
  const hash = createHash('sha1');
  for (const rows of results) {
    const texts = rows.map((row) => row.map((each) => each?.toString('latin1') ?? '\0').join('\t'));
    hash.update(JSON.stringify(texts.sort()));
  }
  return hash.digest('hex');
}
