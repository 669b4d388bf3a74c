import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { OnCreateConnection, RawConnection } from '@rwsplit/core';
import type { Knex } from 'knex';
import { hideSecrets } from './secrets.ts';

let connections = 0;

/** Knex calls `afterCreate` for each connection that it makes; here, core makes them. */
export function setUp(
  afterCreate: Knex.PoolConfig['afterCreate'],
  onCreateConnection: OnCreateConnection | undefined,
): OnCreateConnection {
  return async (connection, host) => {
    hideSecrets(connection.config);
    if (afterCreate !== undefined) {
      connections += 1;
      // Knex's connections have it by then, and some hooks name them by it.
      Object.assign(connection, { __knexUid: `__knexUid-connection-${connections}` });
      await promisify((done: (error?: Error | null) => void) => afterCreate(connection, done))();
    }
    await onCreateConnection?.(connection, host);
  };
}

/**
 * The hooks that are running for the connections of one pool. Many hooks, such as those of Knex's own
 * tests, do nothing about an error of their queries, which is then an unhandled rejection: no connection
 * is to be closed under one.
 */
export class RunningHooks {
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  /** The same hook, noted while it runs. */
  watch(hook: OnCreateConnection): OnCreateConnection {
    return async (connection, host) => {
      if (this.#isClosed) {
        throw new Error('The pool is closed');
      }
      const run = Promise.resolve(hook(connection, host));
      const over = Promise.race([run, lossOf(connection)])
        .catch(() => {})
        .finally(() => this.#running.delete(over));
      this.#running.add(over);
      await run;
    };
  }

  /**
   * Waits for those that run, and lets none begin after them.
   *
   * @param patience in milliseconds.
   */
  async close(patience: number): Promise<void> {
    const late = performance.now() + patience;
    while (this.#running.size > 0 && performance.now() < late) {
      const rest = sleep(late - performance.now(), undefined, { ref: false });
      await Promise.race([Promise.all(this.#running), rest]);
    }
    this.#isClosed = true;
  }
}

/** A hook whose connection is closed may never call back: mysql2 does not, for what it was told to destroy. */
function lossOf(connection: RawConnection): Promise<void> {
  const { stream } = connection as { readonly stream?: EventEmitter };
  return new Promise((resolve) => {
    stream?.once('close', resolve);
  });
}
