import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type StatementEvent } from '@rwsplit/core';

/** Where statements ran, by core's own events. */
export class Routes implements Disposable {
  readonly #roles = new Map<string, StatementEvent['role']>();
  readonly #listen = (message: unknown) => {
    const { sql, role } = message as StatementEvent;
    if (role === 'replica') this.replicaReads++;
    this.#roles.set(sql, role);
  };
  replicaReads = 0;

  constructor() {
    subscribe(channels.statement, this.#listen);
  }

  /** Where the statement ran that was just answered; of several with this text, one of them. */
  of(sql: string): StatementEvent['role'] {
    return this.#roles.get(sql) ?? null;
  }

  [Symbol.dispose](): void {
    unsubscribe(channels.statement, this.#listen);
  }
}
