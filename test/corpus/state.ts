import type { Flavor } from '../support/servers/flavor.ts';
import type { Session } from './session.ts';

/** All of a session that a query can show. */
export interface SessionState {
  readonly variables: ReadonlyMap<string, string>;
  readonly database: string;
  /** User variables with their values, and user locks: what another session sees of this one. */
  readonly userState: string;
}

/** Variables that change by themselves. */
const restless: ReadonlySet<string> = new Set([
  'error_count',
  'gtid_binlog_pos',
  'gtid_binlog_state',
  'gtid_current_pos',
  'gtid_executed',
  'last_gtid',
  'rand_seed1',
  'rand_seed2',
  'statement_id',
  'warning_count',
]);

/** Variables that are what a session did, not how it is set up: no other session gets them. */
const deeds: ReadonlySet<string> = new Set([
  'external_user',
  'gtid_next',
  'gtid_owned',
  'gtid_seq_no',
  'identity',
  'in_predicate_conversion_threshold_used',
  'in_transaction',
  'insert_id',
  'last_insert_id',
  'proxy_user',
  'pseudo_slave_mode',
  'pseudo_replica_mode',
  'pseudo_thread_id',
]);

/** Watches one session from another one. */
export class Watch {
  readonly #watcher: Session;
  readonly #watched: Session;
  readonly #thread: string;
  readonly #flavor: Flavor;

  private constructor(watcher: Session, watched: Session, thread: string, flavor: Flavor) {
    this.#watcher = watcher;
    this.#watched = watched;
    this.#thread = thread;
    this.#flavor = flavor;
  }

  static async on(watcher: Session, watched: Session, flavor: Flavor): Promise<Watch> {
    const [rows] = await watcher.must(
      `SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID = ${watched.id}`,
    );
    return new Watch(watcher, watched, String(rows?.[0]?.[0]), flavor);
  }

  /** @throws Error if the session cannot answer, be it for its own settings */
  async state(): Promise<SessionState> {
    const [variables, database] = await this.#watched.must(
      'SHOW SESSION VARIABLES; SELECT DATABASE()',
    );
    const pairs = (variables ?? []).map(([name, value]): [string, string] => [
      String(name),
      value?.toString('latin1') ?? '',
    ]);
    return {
      variables: new Map(pairs.filter(([name]) => !restless.has(name))),
      database: database?.[0]?.[0]?.toString() ?? '',
      userState: await this.#userState(),
    };
  }

  async #userState(): Promise<string> {
    const [rows] = await this.#watcher.must(
      'SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.user_variables_by_thread ' +
        `WHERE THREAD_ID = ${this.#thread} UNION ALL SELECT 'lock', OBJECT_NAME ` +
        `FROM performance_schema.metadata_locks WHERE OWNER_THREAD_ID = ${this.#thread} ` +
        "AND (OBJECT_TYPE = 'USER LEVEL LOCK' OR LOCK_DURATION = 'EXPLICIT')",
    );
    const lines = (rows ?? []).map((row) => row.map((each) => each?.toString('latin1') ?? null));
    return JSON.stringify(lines.sort());
  }

  /** Locks of InnoDB, on tables and rows, that the session holds in its open transaction. */
  async storageLocks(): Promise<number> {
    if (this.#flavor === 'mysql') {
      const [rows] = await this.#watcher.must(
        `SELECT COUNT(*) FROM performance_schema.data_locks WHERE THREAD_ID = ${this.#thread}`,
      );
      return Number(rows?.[0]?.[0]);
    }
    // MariaDB's INNODB_TRX shows what was a tenth of a second ago; this shows now.
    const [rows] = await this.#watcher.must('SHOW ENGINE INNODB STATUS');
    // What stands before the first one tells of past errors and deadlocks.
    const [, ...transactions] = String(rows?.[0]?.[2]).split('---TRANSACTION');
    const mine = transactions.find((each) => each.includes(`thread id ${this.#watched.id},`));
    return Number(/(\d+) lock struct/.exec(mine ?? '')?.[1] ?? 0);
  }
}

/** What differs between two states, in words. */
export function differences(before: SessionState, after: SessionState): string[] {
  const found = [...after.variables]
    .filter(([name, value]) => before.variables.get(name) !== value)
    .map(([name]) => (deeds.has(name) ? name : `session variable ${name}`));
  if (before.database !== after.database) found.push('current database');
  if (before.userState !== after.userState) found.push('user variables or locks');
  return found;
}

/** A setting that another session has and this one has not. */
export interface Setting {
  readonly name: string;
  readonly statement: string;
}

/** What sets a session up like another one: its settings, nothing of what it did. */
export function mirror(from: SessionState, to: SessionState): Setting[] {
  const differs = (name: string) => to.variables.get(name) !== from.variables.get(name);
  // Setting max_join_size sets sql_big_selects as well (MySQL manual, "Server System Variables").
  const isSet = (name: string) =>
    differs(name) || (name === 'sql_big_selects' && differs('max_join_size'));
  const settings = [...from.variables]
    .filter(([name]) => isSet(name) && !deeds.has(name))
    // Other settings are read in its light (MariaDB's system_versioning_asof).
    .sort(([a], [b]) => Number(b === 'time_zone') - Number(a === 'time_zone'))
    .map(([name, value]) => ({ name, statement: `SET SESSION ${name} = ${literal(value)}` }));
  const { database } = from;
  if (database !== to.database && database !== '') {
    const statement = `USE \`${database.replaceAll('`', '``')}\``;
    settings.push({ name: 'database', statement });
  }
  return settings;
}

function literal(value: string): string {
  if (/^-?\d+(\.\d+)?$/.test(value)) return value;
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
