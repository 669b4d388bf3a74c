import { EventEmitter } from 'node:events';
import {
  type CommandCallback,
  type ConnectionOptions,
  type DriverError,
  escaping,
  type PromiseConnectionShape,
  type RawConnection,
  type SqlValue,
  type StatementCallback,
} from '../pool/mysql2.ts';
import type { StatePin } from '../statement/facts.ts';
import { type CancelScope, cancelRunning } from './cancel.ts';
import { currentSession } from './client-session.ts';
import { nextFlow } from './flow.ts';
import { promiseConnection } from './promise.ts';
import { RunCommand } from './run-command.ts';
import { RunStatement } from './run-statement.ts';
import { readArguments, type Statement, type StatementMethod } from './statement.ts';
import type { StatementOptions } from './statement-options.ts';
import { callsFromHere } from './storage.ts';
import { type SessionContext, TaskQueue } from './task-queue.ts';

/**
 * A connection in mysql2's shape that chooses a host for each statement. It is one session: inside
 * a transaction, and after anything that leaves state behind, it stays on one connection to the
 * primary. It takes a connection of a host when its first statement needs one.
 */
export class ReplicatedConnection extends EventEmitter {
  readonly #queue: TaskQueue;
  readonly #config: ConnectionOptions;

  /** Only pools make these: see {@link ReplicatedPool.getConnection}. */
  constructor(context: SessionContext, config: ConnectionOptions) {
    super();
    this.#queue = new TaskQueue(context, currentSession(), nextFlow());
    this.#config = config;
    this.#queue.isReserved = true;
  }

  /**
   * What it leaves open when it is released stays with the session that it was asked for in. For
   * adapters, whose libraries reserve a connection for a single statement as well.
   */
  shareWithSession(): void {
    this.#queue.isReserved = false;
  }

  /** The primary's connection options, parsed. Holds its password, so it is no property of its own. */
  get config(): ConnectionOptions {
    return this.#config;
  }

  /** The server's id of the connection in use; `null` while there is none. Unique on one host only. */
  get threadId(): number | null {
    return this.#queue.session.lease?.connection.threadId ?? null;
  }

  /** Name and role of the host whose connection is in use; `null` while there is none. */
  get host(): { readonly name: string; readonly role: 'primary' | 'replica' } | null {
    const lease = this.#queue.session.lease;
    return lease === null ? null : { name: lease.host.name, role: lease.role };
  }

  /** Runs a statement as text, with mysql2's arguments; `forcePrimary` is an option of its own. */
  query(sql: string | StatementOptions, callback?: StatementCallback): Statement;
  query(sql: string | StatementOptions, values: unknown, callback?: StatementCallback): Statement;
  query(sql: unknown, values?: unknown, callback?: unknown): Statement {
    return this.#run('query', sql, values, callback);
  }

  /** Runs a statement that the server prepares, with mysql2's arguments. */
  execute(sql: string | StatementOptions, callback?: StatementCallback): Statement;
  execute(sql: string | StatementOptions, values: unknown, callback?: StatementCallback): Statement;
  execute(sql: unknown, values?: unknown, callback?: unknown): Statement {
    return this.#run('execute', sql, values, callback);
  }

  beginTransaction(callback?: StatementCallback): Statement {
    return this.query('START TRANSACTION', callback);
  }

  commit(callback?: StatementCallback): Statement {
    return this.query('COMMIT', callback);
  }

  rollback(callback?: StatementCallback): Statement {
    return this.query('ROLLBACK', callback);
  }

  /** Opens a connection to the primary, unless one is in use, and reports whether that worked. */
  connect(callback: CommandCallback): void {
    this.#command(null, false, callback, (_connection, answer) => answer(null));
  }

  /** Asks the host whose connection is in use, else the primary, for a sign of life. */
  ping(callback: CommandCallback): void {
    this.#command(null, false, callback, (connection, answer) => connection.ping(answer));
  }

  /** Logs in anew on one connection to the primary, where this session then stays. */
  changeUser(options: object, callback: CommandCallback = () => {}): void {
    this.#command('unknown-state', true, callback, (connection, answer) =>
      connection.changeUser(options, answer),
    );
  }

  /** Drops all state of the session. What it left in a connection goes with that connection. */
  reset(callback: CommandCallback): void {
    const queue = this.#queue;
    queue.enqueue({
      run: (done) => {
        queue.reset();
        done();
        process.nextTick(callback, null);
      },
      refuse: callback,
    });
  }

  /** Prepares a statement by hand, on one connection to the primary, where this session then stays. */
  prepare(
    options: string | { readonly sql: string },
    callback: (error: Error | null, statement?: unknown) => void,
  ): void {
    this.#command('prepared-statement', false, callback, (connection, answer) =>
      connection.prepare(options, answer),
    );
  }

  /** Forgets a statement that `execute` has prepared on the connection in use. */
  unprepare(options: string | { readonly sql: string }): unknown {
    return this.#queue.session.lease?.connection.unprepare(options);
  }

  /**
   * Ends the running statement on the host that runs it; one that waits for a connection is not
   * sent. Does nothing if none is running.
   *
   * @param scope `'query'` ends the statement alone; `'connection'` its connection and this session
   *   too, as {@link destroy} does.
   */
  cancel(scope: CancelScope = 'query'): Promise<void> {
    return cancelRunning(this.#queue, scope);
  }

  /** Gives the connection back when its statements are done. Later calls do nothing. */
  release(): void {
    this.#queue.release();
  }

  /** mysql2 gives a pooled connection back here too. */
  end(callback?: CommandCallback): void {
    this.release();
    if (callback !== undefined) {
      process.nextTick(callback, null);
    }
  }

  /** Closes the connection in use, and ends this session with whatever it was doing. */
  destroy(): void {
    this.#queue.destroy();
  }

  /** Stops reading from the connection in use, until {@link resume}. */
  pause(): void {
    this.#queue.session.lease?.connection.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#queue.session.lease?.connection.resume();
  }

  /** The same as {@link destroy}. */
  close(): void {
    this.destroy();
  }

  escape(value: SqlValue): string {
    return escaping.escape(value, false, this.#config.timezone);
  }

  escapeId(value: string | string[]): string {
    return escaping.escapeId(value, false);
  }

  format(sql: string, values?: SqlValue | SqlValue[]): string {
    const { stringifyObjects, timezone } = this.#config;
    return escaping.format(sql, values, stringifyObjects, timezone);
  }

  /** This connection in the shape of `mysql2/promise`. */
  promise(promise?: PromiseConstructor): PromiseConnectionShape {
    return promiseConnection(this, promise);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #run(method: StatementMethod, sql: unknown, values: unknown, callback: unknown): Statement {
    const statement = readArguments(method, sql, values, callback);
    if (statement.session !== null) {
      this.#queue.use(statement.session);
    }
    this.#queue.enqueue(new RunStatement(this.#queue, statement));
    return statement;
  }

  #command<Result>(
    pin: StatePin | null,
    isLasting: boolean,
    callback: (error: Error | null, result?: Result) => void,
    send: (
      connection: RawConnection,
      answer: (error?: Error | null, result?: Result) => void,
    ) => void,
  ): void {
    let isOpen = true;
    const call = callsFromHere();
    const settle = (error: Error | null, result?: Result) => {
      if (isOpen) {
        isOpen = false;
        call(callback, error, result);
      }
    };
    const command = {
      pin,
      isLasting,
      send: (connection: RawConnection, answered: (error: DriverError | null) => void) =>
        send(connection, (error, result) => {
          answered(error ?? null);
          settle(error ?? null, result);
        }),
      refuse: settle,
    };
    this.#queue.enqueue(new RunCommand(this.#queue, command));
  }
}
