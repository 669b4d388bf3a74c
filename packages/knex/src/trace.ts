import type { ReplicatedConnection, Role, RoutedStatement, RouteReason } from '@rwsplit/core';
import type { Hints } from './hints.ts';
import type { CompiledStatement } from './stock.ts';

/**
 * What events tell of a statement beside what Knex says: where it ran, and why. All three are `null` as
 * long as that is not known.
 *
 * `query` comes before it is known; its object is filled in when the statement has its answer. The objects
 * of `query-response` and `query-error` have it from the start. Errors of statements have the
 * same three properties; they are not enumerable, so that nothing that prints or compares errors changes.
 *
 * ```ts
 * import { ReplicatedMysql2, type StatementRoute } from '@rwsplit/knex';
 * import Knex from 'knex';
 *
 * const connection = { host: 'db-1', user: 'app', password: process.env.DB_PASSWORD, database: 'shop' };
 * const knex = Knex({ client: ReplicatedMysql2, connection, replicas: [{ host: 'db-2' }] });
 * knex.on('query-response', (_rows, { sql, host, reason }: StatementRoute & { sql: string }) => {
 *   console.log(sql, 'ran on', host, 'because of', reason);
 * });
 * await knex('person').select('name');
 * await knex.destroy();
 * ```
 */
export interface StatementRoute {
  /** The name of the host; `null` too if no connection was had. */
  readonly host: string | null;
  /** What the host was. */
  readonly role: Role | null;
  /** See the routing rules. */
  readonly reason: RouteReason | null;
}

const unknownRoute: StatementRoute = { host: null, role: null, reason: null };

/** One run of a statement: what the connection is told before, and what listeners are told after. */
export class Trace {
  readonly #hints: Hints | null;
  /** Whatever says where the statement ran: Knex copies it for each event. */
  readonly #told: object[];
  #route: StatementRoute | null = null;

  constructor(statement: CompiledStatement, hints: Hints | null) {
    this.#hints = hints;
    this.#told = [statement];
    tell(statement, unknownRoute);
  }

  /** Another object that is to say where the statement ran. */
  follow(event: unknown): void {
    if (typeof event === 'object' && event !== null && !this.#told.includes(event)) {
      hideTrace(event);
      this.#told.push(event);
    }
  }

  /** What Knex hands to the connection. Its events show the statement as Knex made it. */
  sent({ sql, bindings, options }: CompiledStatement): CompiledStatement {
    const own = options?.['onRouted'];
    const onRouted = (routed: RoutedStatement) => {
      this.#routed(routed);
      if (typeof own === 'function') {
        own(routed);
      }
    };
    return { sql, bindings, options: { ...options, ...this.#hints, onRouted } };
  }

  /**
   * Notes on an error where its statement ran, or where it runs on.
   *
   * @param inUse where its connection is, for an error that does not end the statement.
   * @returns the error
   */
  mark(error: unknown, inUse: ReplicatedConnection['host'] = null): unknown {
    const route = this.#route ?? (inUse && { host: inUse.name, role: inUse.role, reason: null });
    if (route !== null && error instanceof Error && !('host' in error)) {
      for (const [key, value] of Object.entries(route)) {
        Object.defineProperty(error, key, { value, configurable: true, writable: true });
      }
    }
    return error;
  }

  #routed({ host, role, reason }: RoutedStatement): void {
    this.#route = { host, role, reason };
    for (const target of this.#told) {
      tell(target, this.#route);
    }
  }
}

/** Listeners may have frozen what they were given. */
function tell(target: object, { host, role, reason }: StatementRoute): void {
  Reflect.set(target, 'host', host);
  Reflect.set(target, 'role', role);
  Reflect.set(target, 'reason', reason);
}

/** On a statement that has not been sent yet: whoever wraps the client may hand on a copy of it. */
const key = Symbol('rwsplit.trace');

type Traced = CompiledStatement & { [key]?: Trace };

export function beginTrace(statement: Traced, hints: Hints | null): Trace {
  const trace = new Trace(statement, hints);
  statement[key] = trace;
  return trace;
}

/** That of a statement that a runner began, or one without hints. */
export function traceOf(statement: Traced): Trace {
  return statement[key] ?? beginTrace(statement, null);
}

/** To be called when the statement is sent: if it runs again, it has another trace. */
export function takeTrace(statement: Traced): Trace | undefined {
  const trace = statement[key];
  hideTrace(statement);
  trace?.follow(statement);
  return trace;
}

/** Takes it off what others see. */
function hideTrace(target: object): void {
  Reflect.deleteProperty(target, key);
}
