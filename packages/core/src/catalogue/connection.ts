import type { Host } from '../pool/host.ts';
import type { OnCreateConnection } from '../pool/host-info.ts';
import { loginOptions } from '../pool/login-options.ts';
import {
  createSingleConnection,
  type DriverError,
  dropConnection,
  type RawConnection,
} from '../pool/mysql2.ts';
import { prepareConnection } from '../pool/prepare-connection.ts';

/** How long all of a reading may take, in milliseconds. */
const longest = 30_000;

/**
 * A connection to read the catalogue with. It is none of the pool's: a pool whose connections are all
 * in use, perhaps by what waits for this reading, must not stand in its way, nor it in theirs.
 */
export class CatalogueConnection {
  readonly #raw: RawConnection;
  readonly #timer: NodeJS.Timeout;

  /** Logs in as the primary's pool does; {@link open} tells whether that worked. */
  constructor({ pool }: Host) {
    const config = pool.config.connectionConfig;
    this.#raw = createSingleConnection({
      ...loginOptions(config),
      ...(config.database === undefined ? {} : { database: config.database }),
      // Names come in any script, whatever the application writes.
      charset: 'utf8mb4',
    });
    this.#raw.on('error', ignore);
    this.#timer = setTimeout(() => this.close(), longest).unref();
  }

  /** Waits for the login. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#raw.ping((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Sets the connection up as those of the pool: the hook may set a role. */
  prepare({ name }: Host, onCreateConnection: OnCreateConnection | null): Promise<void> {
    const greeting = { version: '', settings: [], role: null, hasInitConnect: false };
    const onGreeting = () => {};
    const preparation = {
      name,
      role: 'primary',
      greeting,
      onGreeting,
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

  /** Closes it at once, whatever it is doing. */
  close(): void {
    clearTimeout(this.#timer);
    dropConnection(this.#raw);
  }
}

function ignore(): void {}

/** How long a login may take that is to show that a server answers, in milliseconds. */
const longestLogin = 1_000;

/** Whether the server answers a new connection. */
export async function answers(host: Host): Promise<boolean> {
  const connection = new CatalogueConnection(host);
  const timer = setTimeout(() => connection.close(), longestLogin).unref();
  try {
    await connection.open();
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
