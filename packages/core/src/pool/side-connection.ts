import type { Row } from '../topology/topology.ts';
import { silence } from './connections.ts';
import type { Host } from './host.ts';
import type { OnCreateConnection } from './host-info.ts';
import { loginOptions } from './login-options.ts';
import {
  createSingleConnection,
  type DriverError,
  dropConnection,
  keepAlive,
  type RawConnection,
} from './mysql2.ts';
import { prepareConnection } from './prepare-connection.ts';

/**
 * A connection for questions of our own to a host. It is none of the pool's: a pool whose connections
 * are all in use, perhaps by what waits for the answer, must not stand in its way, nor it in theirs.
 */
export class SideConnection {
  readonly #raw: RawConnection;
  #timer: NodeJS.Timeout | null = null;
  #isOpen = true;

  /**
   * Logs in as the host's pool does; {@link open} tells whether that worked.
   *
   * @param onLost called once, when the connection is closed, by whomever.
   */
  constructor({ pool }: Host, onLost: () => void = ignore) {
    const config = pool.config.connectionConfig;
    this.#raw = createSingleConnection({
      ...loginOptions(config),
      ...(config.database === undefined ? {} : { database: config.database }),
      // Names come in any script, whatever the application writes.
      charset: 'utf8mb4',
    });
    const lost = () => {
      if (this.#isOpen) {
        this.#isOpen = false;
        onLost();
      }
    };
    this.#raw.on('error', lost);
    this.#raw.on('end', lost);
  }

  /**
   * Closes the connection after so many milliseconds, unless another limit is set before; `null`: it is
   * idle until further notice.
   */
  limit(milliseconds: number | null): void {
    // Idle, it keeps no process alive: some end their own pools, and never ours.
    keepAlive(this.#raw, milliseconds !== null);
    clearTimeout(this.#timer ?? undefined);
    this.#timer =
      milliseconds === null ? null : setTimeout(() => this.close(), milliseconds).unref();
  }

  /** Waits for the login. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#raw.ping((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Sets the connection up as those of the pool: the hook may set a role. */
  prepare({ name }: Host, onCreateConnection: OnCreateConnection | null): Promise<void> {
    const greeting = {
      version: '',
      settings: [],
      role: null,
      hasInitConnect: false,
      gtids: null,
    };
    const [onGreeting, onLost] = [ignore, ignore];
    const preparation = {
      name,
      role: 'primary',
      greeting,
      onGreeting,
      onLost,
      onCreateConnection,
    } as const;
    return new Promise((resolve, reject) => {
      prepareConnection(this.#raw, preparation, (error) => (error ? reject(error) : resolve()));
    });
  }

  query(sql: string): Promise<readonly (readonly unknown[])[]> {
    return new Promise((resolve, reject) => {
      this.#raw.query({ sql, rowsAsArray: true }, (error: DriverError | null, rows) => {
        if (error !== null) {
          reject(error);
        } else if (Array.isArray(rows)) {
          resolve(rows);
        } else {
          reject(new Error('Expected rows, found none'));
        }
      });
    });
  }

  /** The same with rows by their column names, as the server writes them. */
  rows(sql: string): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      this.#raw.query({ sql, rowsAsArray: false }, (error: DriverError | null, rows) => {
        if (error === null) {
          resolve(Array.isArray(rows) ? rows : []);
        } else {
          reject(error);
        }
      });
    });
  }

  /** Closes it at once, whatever it is doing. */
  close(): void {
    clearTimeout(this.#timer ?? undefined);
    dropConnection(this.#raw);
  }
}

function ignore(): void {}

/** How long a login may take that is to show that a server answers, in milliseconds. */
const longestLogin = 1_000;

/** Whether the server lets a new connection in. */
export async function answers(host: Host): Promise<boolean> {
  return (await tryLogin(host, longestLogin)) === null;
}

/**
 * Logs in and leaves again.
 *
 * @param longest how long it may take, in milliseconds.
 * @returns the error that it ended with; `null`: there is none. What the server itself says has an `errno`.
 */
export async function tryLogin(host: Host, longest: number): Promise<DriverError | null> {
  let isLate = false;
  const startedAt = performance.now();
  let connection: SideConnection | null = null;
  const timer = setTimeout(() => {
    // An event loop that was held up has not read what has come meanwhile.
    const heldUp = performance.now() - startedAt - longest;
    isLate = true;
    setTimeout(() => connection?.close(), heldUp > longest / 10 ? longest / 2 : 0);
  }, longest);
  try {
    connection = new SideConnection(host);
    await connection.open();
    return null;
  } catch (error) {
    return isLate ? silence() : (error as DriverError);
  } finally {
    clearTimeout(timer);
    connection?.close();
  }
}
