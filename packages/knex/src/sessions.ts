import {
  createReplicatedPool,
  type HostStats,
  isRwSplitError,
  type ReplicatedConnection,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  type UserPool,
} from '@rwsplit/core';
import type { Knex } from 'knex';
import { primaryOptions, type SplitOptions } from './options.ts';
import { concealed } from './secrets.ts';
import { RunningHooks } from './set-up.ts';
import type { VersionSource } from './stock.ts';

/** What Knex writes on the connections that it is given. */
interface KnexMarks {
  __knexUid?: string;
  /** Set when Knex gave up waiting for a statement: what runs on the connection runs on. */
  __knex__disposed?: unknown;
}

/** One acquisition of Knex: core's session, with Knex's marks. */
export type Session = ReplicatedConnection & KnexMarks;

/** Core's pool for the connection settings of one moment: a function for `connection` may renew them. */
class Generation {
  readonly settings: object;
  readonly pool: ReplicatedPool;
  readonly #hooks: RunningHooks;
  readonly #patience: number;
  #open = 0;
  #isRetired = false;
  #end: Promise<void> | null = null;

  /** @throws what is wrong with the settings. */
  constructor(settings: object, options: ReplicatedPoolOptions) {
    const { onCreateConnection, closeTimeout = 10_000 } = options;
    this.settings = settings;
    this.#hooks = new RunningHooks();
    this.#patience = closeTimeout;
    this.pool = createReplicatedPool(
      onCreateConnection === undefined
        ? options
        : { ...options, onCreateConnection: this.#hooks.watch(onCreateConnection) },
    );
  }

  open(): Promise<Session> {
    this.#open += 1;
    return new Promise((resolve, reject) => {
      this.pool.getConnection((error, session) => {
        if (error === null) {
          session.shareWithSession();
          resolve(session);
        } else {
          reject(error);
        }
      });
    });
  }

  /** To be called once for each session. */
  closed(): void {
    this.#open -= 1;
    this.#endIfUnused();
  }

  /** Ends the pool when the last of its sessions is closed: transactions go on with old settings. */
  retire(): void {
    this.#isRetired = true;
    this.#endIfUnused();
  }

  end(): Promise<void> {
    this.#end ??= this.#hooks.close(this.#patience).then(
      () =>
        new Promise((resolve, reject) => {
          this.pool.end((error) => (error ? reject(error) : resolve()));
        }),
    );
    return this.#end;
  }

  #endIfUnused(): void {
    if (this.#isRetired && this.#open === 0) {
      // Nobody waits for it, and a connection that does not close properly is gone all the same.
      this.end().catch(() => {});
    }
  }
}

/** Where the sessions of one client come from, and whatever copies Knex makes of it. */
export class Sessions {
  readonly #options: SplitOptions;
  readonly #limits: Knex.PoolConfig;
  readonly #own: UserPool | null;
  readonly #generations = new WeakMap<Session, Generation>();
  #current: Generation | null = null;

  /** @param own the user's own pool for the primary, in place of settings. */
  constructor(options: SplitOptions, limits: Knex.PoolConfig, own: UserPool | null = null) {
    this.#options = options;
    this.#limits = limits;
    this.#own = own;
  }

  /**
   * Sees to it that new sessions use these settings of the primary's connections.
   *
   * @returns the settings as they may be printed, for the next call.
   */
  renew(given: object): object {
    const previous = this.#current;
    const settings = concealed(given);
    if (previous?.settings !== settings) {
      const primary = this.#own ?? primaryOptions(settings, this.#limits);
      this.#current = new Generation(settings, { ...this.#options, primary });
      if (previous !== null) {
        this.#current.pool.continue(previous.pool);
        previous.retire();
      }
    }
    return settings;
  }

  /**
   * As {@link renew}, before anybody wants a session: what mysql2 refuses is the error of those who do, as
   * it is in Knex.
   */
  expect(given: object): object {
    try {
      return this.renew(given);
    } catch (error) {
      if (isRwSplitError(error)) {
        throw error;
      }
      return concealed(given);
    }
  }

  async open(): Promise<Session> {
    const generation = this.#generation();
    const session = await generation.open();
    this.#generations.set(session, generation);
    return session;
  }

  /** To be called once for each session. */
  close(session: Session): void {
    if (session.__knex__disposed) {
      session.destroy();
    } else {
      session.release();
    }
    this.#generations.get(session)?.closed();
  }

  /**
   * Makes sure that there is a server for new sessions, so that a wrong address, password or
   * database shows where it does in Knex: while a connection is acquired. Without the primary,
   * replicas will do: it is the statement that needs the primary that fails then.
   *
   * @param greet told the version of the primary, once it is there: never that of a replica.
   */
  async reach(greet: (primary: VersionSource) => unknown): Promise<void> {
    const session = await this.open();
    try {
      if (!this.#isPrimaryDown() && (await canConnect(session))) {
        await greet({ query: (sql, done) => this.#askVersion(session, sql, done) });
      } else {
        await read(session);
      }
    } finally {
      this.close(session);
    }
  }

  /** Whether the session that the caller is in has its connection already, and needs no other. */
  get isHeldHere(): boolean {
    return this.#current?.pool.isHeldHere ?? false;
  }

  /** The pool that new sessions are of; `null` before there are settings. */
  get pool(): ReplicatedPool | null {
    return this.#current?.pool ?? null;
  }

  async end(): Promise<void> {
    await this.#current?.end();
  }

  #generation(): Generation {
    if (this.#current === null) {
      throw new Error('No connection settings yet');
    }
    return this.#current;
  }

  /** The first connection to a server asks it already; it would be one more way there before anything runs. */
  #askVersion(session: Session, ...[sql, done]: Parameters<VersionSource['query']>): void {
    const version = this.#primary()?.version ?? null;
    if (version === null) {
      session.query({ sql, forcePrimary: true }, done);
    } else {
      done(null, [{ version }]);
    }
  }

  #isPrimaryDown(): boolean {
    return this.#primary()?.isUp === false;
  }

  #primary(): HostStats | undefined {
    return this.#generation()
      .pool.stats()
      .hosts.find(({ role }) => role === 'primary');
  }
}

/** Errors of a server that is there, but takes no clients at the moment. */
const passing: ReadonlySet<number> = new Set([1040, 1053, 1129, 1203, 1226, 3032]);

/** Opens a connection to the primary, unless the session has one. */
export function connect(session: ReplicatedConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    session.connect((error) => (error ? reject(error) : resolve()));
  });
}

/**
 * Whether the primary gives a connection.
 *
 * @throws what does not pass by itself: a refused login, an unknown database, an error of a hook.
 */
async function canConnect(session: Session): Promise<boolean> {
  try {
    await connect(session);
    return true;
  } catch (error) {
    if (isSetUpError(error)) {
      throw asKnexTells(error);
    }
    if (isRefusal(error)) {
      throw error;
    }
    return false;
  }
}

/** Whether it is the server that says no; the number of a system error is negative. */
function isRefusal(error: unknown): boolean {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
  return errno > 0 && !passing.has(errno);
}

/** Fails if neither a replica nor the primary answers. */
function read(session: Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.query('SELECT 1', (error) => (error ? reject(asKnexTells(error)) : resolve()));
  });
}

/** Whether it is an error of `afterCreate`. */
function isSetUpError(error: unknown): boolean {
  return isRwSplitError(error) && error.code === 'RWSPLIT_HOST_SETUP';
}

/** Knex gives the error of a connection that could not be had, or of `afterCreate`, as it is. */
export function asKnexTells(error: unknown): unknown {
  const isDown = isRwSplitError(error) && error.code === 'RWSPLIT_PRIMARY_DOWN';
  return isDown || isSetUpError(error) ? ((error as Error).cause ?? error) : error;
}
