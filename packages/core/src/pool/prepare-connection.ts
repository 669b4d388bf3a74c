import { RwSplitError } from '../errors.ts';
import type { GtidDialect } from '../gtid/set.ts';
import type { Role } from '../routing/reasons.ts';
import type { HostInfo, OnCreateConnection } from './host-info.ts';
import { type DriverError, discardConnection, escaping, type RawConnection } from './mysql2.ts';
import { physicalOf } from './physical.ts';

/** What a server says to a new connection, before anybody has changed anything. */
export interface Greeting {
  readonly version: string;
  /** Assignments that bring back what the login agreed on, after a reset. */
  readonly settings: readonly string[];
  /** The role of the account; `null` where servers have none, or it has none. */
  readonly role: string | null;
  /** Whether the server runs `init_connect` for new connections, but not after a reset (measured). */
  readonly hasInitConnect: boolean;
  /** Whose GTIDs a primary gives its transactions; `null` if none, and for replicas. */
  readonly gtids: GtidDialect | null;
}

/** What setting up a connection needs to know. */
export interface Preparation extends HostInfo {
  readonly onCreateConnection: OnCreateConnection | null;
  /** What the server said to the first connection; `null` if this is the first. */
  readonly greeting: Greeting | null;
  /** Told what the server says to the first connection. */
  readonly onGreeting: (greeting: Greeting) => void;
  /** Told when the connection breaks while nobody uses it. */
  readonly onLost: (error: DriverError) => void;
}

/**
 * Sets a connection up before its first statement: the user's `onCreateConnection`, then what rwsplit
 * needs: on the primary the tracker of session state, on a replica the fence. The fence comes last,
 * so that nothing in the hook can leave it open. A pool that somebody made may serve one of ours as a
 * primary and another one as a replica.
 */
export function prepareConnection(
  connection: RawConnection,
  preparation: Preparation,
  callback: (error: DriverError | null, connection?: RawConnection) => void,
): void {
  setUp(connection, preparation).then(
    () => {
      physicalOf(connection).preparedAs = preparation.role;
      callback(null, connection);
    },
    (error: DriverError) => {
      discardConnection(connection);
      callback(error);
    },
  );
}

async function setUp(connection: RawConnection, preparation: Preparation): Promise<void> {
  const { name, role, onCreateConnection } = preparation;
  const physical = physicalOf(connection);
  const before = physical.preparedAs;
  if (!physical.isWatched) {
    // mysql2 emits 'error' on a pooled connection that dies while idle, after it has left its pool.
    connection.on('error', preparation.onLost);
    physical.isWatched = true;
  }
  const greeting = preparation.greeting ?? (await greet(connection, role));
  if (before === null) {
    preparation.onGreeting(greeting);
    if (physical.isReset && greeting.settings.length > 0) {
      await run(connection, `SET ${greeting.settings.join(', ')}`);
    }
    if (onCreateConnection !== null) {
      if (role === 'primary') {
        await track(connection, greeting);
      }
      await runHook(onCreateConnection, connection, { name, role });
    }
  }
  if (role === 'replica') {
    // Without autocommit a read opens a transaction, and every later one sees that moment for ever.
    await run(connection, 'SET SESSION autocommit = 1');
    // The server itself then refuses a write that slipped through, with error 1792.
    await run(connection, 'SET SESSION TRANSACTION READ ONLY');
    return;
  }
  if (before === 'replica') {
    await run(connection, 'SET SESSION TRANSACTION READ WRITE');
  }
  await track(connection, greeting);
}

/** ER_UNKNOWN_SYSTEM_VARIABLE; and the error for GTIDs in an open transaction, which the hook may have left. */
const harmless: ReadonlySet<number | undefined> = new Set([1193, 1766]);

const stateTracker = 'SET SESSION session_track_state_change = 1';
const gtidTrackers = {
  mysql: "session_track_gtids = 'OWN_GTID'",
  // '*' goes with no other name, and has them all (measured).
  mariadb:
    "session_track_system_variables = IF(@@SESSION.session_track_system_variables = '*', '*', " +
    "CONCAT_WS(',', NULLIF(@@SESSION.session_track_system_variables, ''), 'last_gtid'))",
} as const;

/**
 * Makes answers tell of session state that no text shows, and of the GTIDs of what was written. Servers
 * before MySQL 5.7 and MariaDB 10.2 cannot.
 */
async function track(connection: RawConnection, { gtids }: Greeting): Promise<void> {
  try {
    await run(
      connection,
      gtids === null ? stateTracker : `${stateTracker}, ${gtidTrackers[gtids]}`,
    );
  } catch (error) {
    if (!harmless.has((error as DriverError).errno)) {
      throw error;
    }
  }
}

/**
 * Measured: a reset of the connection brings back the server's own charset on MySQL, and on MariaDB
 * takes away the IGNORE_SPACE that mysql2 logs in with.
 */
async function greet(connection: RawConnection, side: Role): Promise<Greeting> {
  const names = ['character_set_client', 'character_set_results', 'collation_connection'];
  const columns = [...names, 'sql_mode'].map((name) => `@@SESSION.${name}`);
  const [version, initConnect, ...values] = await readRow(
    connection,
    `SELECT VERSION(), @@GLOBAL.init_connect, ${columns.join(', ')}`,
  );
  const settings = names.flatMap((name, index) => {
    const value = values[index];
    return value === undefined ? [] : [`${name} = ${value ?? 'NULL'}`];
  });
  if (values.at(-1)?.split(',').includes('IGNORE_SPACE')) {
    settings.push("sql_mode = CONCAT_WS(',', 'IGNORE_SPACE', NULLIF(@@SESSION.sql_mode, ''))");
  }
  const role = await readRole(connection);
  const gtids = side === 'primary' ? await readGtidDialect(connection) : null;
  return { version: version ?? '', settings, role, hasInitConnect: Boolean(initConnect), gtids };
}

/**
 * Whose GTIDs a server gives its transactions. Aurora's replicas share the storage of the primary, and
 * execute no transactions of their own: GTIDs say nothing there.
 */
async function readGtidDialect(connection: RawConnection): Promise<GtidDialect | null> {
  const names = ['aurora_version', 'gtid_domain_id', 'gtid_mode', 'log_bin'];
  const rows = await run(
    connection,
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map((name) => `'${name}'`).join(', ')})`,
  );
  const values = new Map(Array.isArray(rows) ? rows.map(([name, value]) => [name, value]) : []);
  if (values.get('log_bin') !== 'ON' || values.has('aurora_version')) {
    return null;
  }
  const mode = values.get('gtid_mode');
  if (mode !== undefined) {
    return String(mode).startsWith('ON') ? 'mysql' : null;
  }
  return values.has('gtid_domain_id') ? 'mariadb' : null;
}

/** MySQL has roles since 8.0. */
async function readRole(connection: RawConnection): Promise<string | null> {
  try {
    const [role] = await readRow(connection, 'SELECT CURRENT_ROLE()');
    return role ?? null;
  } catch (error) {
    if (isOfServer(error)) {
      return null;
    }
    throw error;
  }
}

function isOfServer(error: unknown): boolean {
  return error instanceof Error && 'sqlState' in error;
}

async function readRow(connection: RawConnection, sql: string): Promise<(string | null)[]> {
  const rows = await run(connection, sql);
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return Array.isArray(row) ? row.map((value) => (value === null ? null : String(value))) : [];
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

/** What a reset leaves as it is. */
export interface Remains {
  /** The database that the login had chosen; `null` if none. */
  readonly database: string | null;
  /** Whether the session may have chosen another one. */
  readonly mayUseDatabase: boolean;
  /** The role that the login has; `undefined` if the session has surely taken no other. */
  readonly role: string | null | undefined;
}

/**
 * Makes the server forget the session of a connection. Measured on MySQL 9.7 and MariaDB 10.11: a
 * reset keeps the current database, and the role.
 *
 * @throws if something remains.
 */
export async function resetConnection(connection: RawConnection, remains: Remains): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    connection.reset((error) => (error ? reject(error) : resolve()));
  });
  const { database, mayUseDatabase, role } = remains;
  if (mayUseDatabase) {
    if (database === null) {
      throw new Error('There is no way back to no database');
    }
    await run(connection, `USE ${escaping.escapeId(database, true)}`);
  }
  if (role !== undefined && (await readRole(connection)) !== role) {
    throw new Error('The session has taken a role');
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
