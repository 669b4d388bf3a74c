import { EventEmitter } from 'node:events';
import { Readable, type ReadableOptions } from 'node:stream';
import { type Check, check, durationOrZero, oneOf, shown } from '../config/checks.ts';
import { consistencies } from '../consistency/levels.ts';
import type { RoutedStatement } from '../diagnostics.ts';
import { RwSplitError } from '../errors.ts';
import type { DriverError, RawConnection, StatementCallback } from '../pool/mysql2.ts';
import { type ClientSession, isClientSession, wishesHere } from './client-session.ts';
import type { StatementOptions } from './statement-options.ts';
import { callsFromHere } from './storage.ts';
import type { Wishes } from './wishes.ts';

/** mysql2's two ways to send a statement: as text, or prepared on the server. */
export type StatementMethod = 'query' | 'execute';

/**
 * A statement that was given to a connection: what mysql2 calls a command. Without a callback it
 * emits `fields`, `result` for each row, `error` and `end`, or gives its rows as a stream.
 */
export class Statement extends EventEmitter {
  readonly method: StatementMethod;
  readonly sql: string;
  readonly forcePrimary: boolean;
  /** Whether it was said of it, and not of the code around it, that it is to run on a replica. */
  readonly useReplica: boolean;
  /** What was said of it, and of the code that it is given in, but for {@link forcePrimary}. */
  readonly wishes: Wishes;
  /** The session that was given with it. */
  readonly session: ClientSession | null;
  readonly onRouted: ((routed: RoutedStatement) => void) | null;
  /** Whether the caller has seen a part of the answer: from then on nothing is run again. */
  hasAnswered = false;
  /** What mysql2 gets: `null` if that is no more than text and values, which need no copies. */
  readonly #options: Readonly<Record<string, unknown>> | null;
  readonly #callback: StatementCallback | undefined;
  readonly #values: unknown;
  /** Calls back in the session, or the flow, that the statement was given in. */
  readonly #call = callsFromHere();
  #isSettled = false;
  #source: RawConnection | null = null;

  constructor(
    method: StatementMethod,
    given: string | StatementOptions,
    values: unknown,
    callback: StatementCallback | undefined,
  ) {
    super();
    this.method = method;
    this.#callback = callback;
    const wishes = wishesHere();
    if (typeof given === 'string') {
      this.sql = given;
      this.#values = values;
      this.wishes = wishes;
      this.forcePrimary = wishes.forcePrimary;
      this.useReplica = false;
      this.session = null;
      this.onRouted = null;
      this.#options = null;
    } else {
      const { sql, values: own, session = null, onRouted = null, ...hints } = given;
      const { forcePrimary = false, useReplica = false, ...limits } = hints;
      const { maxLag: ownMaxLag, consistency: ownLevel, ...rest } = limits;
      const isOnReplica = useReplica !== false;
      this.sql = sql;
      this.#values = values === undefined ? own : values;
      this.useReplica = isOnReplica;
      this.forcePrimary = forcePrimary || (wishes.forcePrimary && !isOnReplica);
      const around = isOnReplica ? 'eventual' : (session?.consistency ?? wishes.consistency);
      const consistency = ownLevel ?? around;
      const usual = isOnReplica ? (wishes.group ?? 'default') : wishes.group;
      const group = typeof useReplica === 'string' ? useReplica : usual;
      const maxLag = ownMaxLag ?? session?.maxLag ?? wishes.maxLag;
      this.wishes = { ...wishes, consistency, group, maxLag };
      this.session = session;
      this.onRouted = onRouted;
      this.#options = isEmpty(rest) ? null : { ...rest, sql, values: this.#values };
    }
  }

  /** Sends the statement on a connection. The callback is called once, when the answer is complete. */
  send(connection: RawConnection, callback: StatementCallback): void {
    if (this.#callback !== undefined) {
      this.#give(connection, onlyOnce(callback));
    } else {
      this.#sendForRows(connection, onlyOnce(callback));
    }
  }

  /** The bound values. No property of its own: nothing that prints a statement may show them. */
  get values(): unknown {
    return this.#values;
  }

  /** How long the caller waits for an answer, in milliseconds; `undefined`: as long as it takes. */
  get timeout(): unknown {
    return this.#options?.['timeout'];
  }

  /** Whether the caller has the outcome. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Gives the caller the outcome, unless it has it already. */
  settle(error: Error | null, result?: unknown, fields?: unknown): void {
    if (this.#isSettled) {
      return;
    }
    this.#isSettled = true;
    // What the reader of a stream has held up is nobody's any more.
    this.#source?.resume();
    this.#source = null;
    if (this.#callback !== undefined) {
      this.#call(this.#callback, error, result, fields);
      this.#call(emit, this, 'end');
    } else if (error === null || this.listenerCount('error') > 0) {
      this.#emitOutcome(error);
    } else {
      // Nobody listens: let it surface by itself, not inside mysql2's reading of a packet.
      process.nextTick(() => this.#emitOutcome(error));
    }
  }

  #emitOutcome(error: Error | null): void {
    if (error !== null) {
      this.#call(emit, this, 'error', error);
    }
    this.#call(emit, this, 'end');
  }

  /** The rows as a stream of objects; `fields` is emitted on it before the first one. */
  stream(options: ReadableOptions = {}): Readable {
    const rows = new Readable({
      ...options,
      objectMode: true,
      read: () => this.#source?.resume(),
      destroy: (error, done) => {
        // What is still to come is read and dropped, so that the connection gets free.
        this.#source?.resume();
        done(error);
      },
    });
    this.on('fields', (fields) => rows.destroyed || rows.emit('fields', fields));
    this.on('result', (row) => {
      if (!rows.destroyed && !rows.push(row)) {
        this.#source?.pause();
      }
    });
    this.on('error', (error) => rows.destroy(error));
    this.on('end', () => rows.destroyed || rows.push(null));
    // mysql2 ends a stream that is closed early: people wait for 'end'.
    rows.once('close', () => rows.readableEnded || rows.emit('end'));
    return rows;
  }

  #give(connection: RawConnection, callback?: StatementCallback): EventEmitter {
    return this.#options === null
      ? connection[this.method](this.sql, this.#values, callback)
      : connection[this.method](this.#options, callback);
  }

  #sendForRows(connection: RawConnection, callback: StatementCallback): void {
    let failure: DriverError | null = null;
    let last: unknown;
    let results = 0;
    const complete = () => {
      connection.off('error', lost);
      // Several results are what mysql2 makes an array of, for those who give it a callback.
      callback(failure, results === 1 ? last : [[], last]);
    };
    const lost = (error: DriverError) => {
      failure = error;
      complete();
    };
    // Without a callback, mysql2 tells of a broken connection on the connection alone, and of one
    // that was closed before even while it takes the statement.
    connection.on('error', lost);
    this.#source = connection;
    const command = this.#giveOr(connection, () => connection.off('error', lost));
    command.on('fields', (fields) => this.#answer('fields', fields));
    command.on('result', (row, index) => {
      last = row;
      results += 1;
      this.#answer('result', row, index);
    });
    command.on('error', (error: DriverError) => {
      failure = error;
      if (error.code === 'PROTOCOL_SEQUENCE_TIMEOUT') {
        // The server goes on with it; the caller does not wait for that.
        complete();
      }
    });
    command.on('end', complete);
  }

  #giveOr(connection: RawConnection, undo: () => void): EventEmitter {
    try {
      return this.#give(connection);
    } catch (error) {
      undo();
      throw error;
    }
  }

  #answer(event: 'fields' | 'result', value: unknown, index?: number): void {
    if (!this.#isSettled) {
      this.hasAnswered = true;
      this.#call(emit, this, event, value, index);
    }
  }
}

function emit(emitter: EventEmitter, event: string, ...values: readonly unknown[]): void {
  emitter.emit(event, ...values);
}

function isEmpty(options: object): boolean {
  for (const _ in options) {
    return false;
  }
  return true;
}

/** mysql2 may call back twice: for a timeout, and again when the server answers. */
function onlyOnce(callback: StatementCallback): StatementCallback {
  let isOpen = true;
  return (error, result, fields) => {
    if (isOpen) {
      isOpen = false;
      callback(error, result, fields);
    }
  };
}

/**
 * Reads the argument forms of mysql2's `query` and `execute`: `(sql, cb)`, `(sql, values, cb)`,
 * `(options, cb)`, `(options, values, cb)`, each also without callback.
 */
export function readArguments(
  method: StatementMethod,
  sql: unknown,
  values: unknown,
  callback: unknown,
): Statement {
  const hasNoValues = typeof values === 'function';
  const done = hasNoValues ? values : callback;
  return new Statement(
    method,
    readStatement(sql),
    hasNoValues ? undefined : values,
    typeof done === 'function' ? (done as StatementCallback) : undefined,
  );
}

function readStatement(given: unknown): string | StatementOptions {
  if (typeof given === 'string') {
    return given;
  }
  if (isStatementOptions(given)) {
    const { session } = given;
    for (const [key, isWrong] of statementChecks) {
      const expected = isWrong(given[key]);
      if (expected !== null) {
        throw new RwSplitError(
          'RWSPLIT_OPTIONS',
          `${key}: expected ${expected}, found ${shown(given[key])}`,
        );
      }
    }
    if (session !== undefined && !isClientSession(session)) {
      throw new RwSplitError(
        'RWSPLIT_OPTIONS',
        `session: expected what openSession() gives, found ${describe(session)}`,
      );
    }
    return given;
  }
  throw new RwSplitError(
    'RWSPLIT_OPTIONS',
    `Expected a statement as a string or as { sql: string }, found ${describe(given)}`,
  );
}

const statementChecks: readonly (readonly [string, Check])[] = [
  ['consistency', check(oneOf(consistencies))],
  ['maxLag', check(durationOrZero)],
  ['useReplica', check(replicaHint)],
  ['onRouted', check((value) => (typeof value === 'function' ? null : 'a function'))],
];

/** Whether a value names the replicas that a read is to run on. */
function replicaHint(value: unknown): string | null {
  const isName = typeof value === 'string' && value !== '';
  return isName || typeof value === 'boolean' ? null : 'true, false or the name of a group';
}

function isStatementOptions(value: unknown): value is StatementOptions {
  return (
    typeof value === 'object' && value !== null && 'sql' in value && typeof value.sql === 'string'
  );
}

function describe(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
