import { RwSplitError } from '../errors.ts';
import type { Role } from '../routing/reasons.ts';
import type { HostInfo, OnCreateConnection } from './host-info.ts';
import type { DriverError, RawConnection } from './mysql2.ts';

/** What setting up a connection needs to know. */
export interface Preparation extends HostInfo {
  /** Told the server's `VERSION()`; `null` if it is known already. */
  readonly onVersion: ((version: string) => void) | null;
  readonly onCreateConnection: OnCreateConnection | null;
}

/**
 * What each connection was last set up as: mysql2 has no hook that may wait for an answer. A pool that
 * somebody made may serve one of ours as a primary and another one as a replica.
 */
const preparedAs = new WeakMap<RawConnection, Role>();

/** Connections that have a listener for errors. */
const watched = new WeakSet<RawConnection>();

/** Whether a connection needs no set-up. */
export function isPrepared(connection: RawConnection, role: Role): boolean {
  return preparedAs.get(connection) === role;
}

/** To be called when the server has forgotten the set-up of a connection. */
export function forgetPreparation(connection: RawConnection): void {
  preparedAs.delete(connection);
}

/**
 * Sets a connection up before its first statement: the user's `onCreateConnection`, then the fence
 * on a replica. The fence comes last, so that nothing in the hook can leave it open.
 */
export function prepareConnection(
  connection: RawConnection,
  preparation: Preparation,
  callback: (error: DriverError | null, connection?: RawConnection) => void,
): void {
  setUp(connection, preparation).then(
    () => {
      preparedAs.set(connection, preparation.role);
      callback(null, connection);
    },
    (error: DriverError) => {
      connection.destroy();
      callback(error);
    },
  );
}

async function setUp(connection: RawConnection, preparation: Preparation): Promise<void> {
  const { name, role, onVersion, onCreateConnection } = preparation;
  const before = preparedAs.get(connection);
  if (!watched.has(connection)) {
    // mysql2 emits 'error' on a pooled connection that dies while idle, after it has left its pool.
    connection.on('error', ignore);
    watched.add(connection);
  }
  if (before === undefined) {
    onVersion?.(await readVersion(connection));
    if (onCreateConnection !== null) {
      await runHook(onCreateConnection, connection, { name, role });
    }
  }
  if (role === 'replica') {
    // Without autocommit a read opens a transaction, and every later one sees that moment for ever.
    await run(connection, 'SET SESSION autocommit = 1');
    // The server itself then refuses a write that slipped through, with error 1792.
    await run(connection, 'SET SESSION TRANSACTION READ ONLY');
  } else if (before === 'replica') {
    await run(connection, 'SET SESSION TRANSACTION READ WRITE');
  }
}

function ignore(): void {}

async function readVersion(connection: RawConnection): Promise<string> {
  const rows = await run(connection, 'SELECT VERSION()');
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return Array.isArray(row) ? String(row[0]) : '';
}

async function runHook(
  hook: OnCreateConnection,
  connection: RawConnection,
  host: HostInfo,
): Promise<void> {
  try {
    await hook(connection, host);
  } catch (cause) {
    throw new RwSplitError(
      'RWSPLIT_HOST_SETUP',
      `onCreateConnection failed on ${host.role} ${host.name}`,
      { cause },
    );
  }
}

function run(connection: RawConnection, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.query({ sql, rowsAsArray: true }, (error, rows) => {
      if (error === null) {
        resolve(rows);
      } else {
        reject(error);
      }
    });
  });
}
