import { EventEmitter, errorMonitor } from 'node:events';
import type { Writable } from 'node:stream';
import { ReplicatedConnection } from '@rwsplit/core';
import type { Knex } from 'knex';
import { runInFlow } from './flow.ts';
import { type Hints, hintsOf, primaryHint } from './hints.ts';
import { isMigrating } from './migrating.ts';
import { type CompiledStatement, type Runnable, StockRunner, type Streaming } from './stock.ts';
import { beginTrace } from './trace.ts';

/** What streams give the rows of. */
const queries = new WeakMap<object, Runnable>();

/** What a stream of Knex gives the rows of. */
export function queryOf(stream: object): Runnable | undefined {
  return queries.get(stream);
}

/** The hints that a query runs with. */
export function hintsHere(client: Knex.Client, query: Runnable): Hints | null {
  return isMigrating(client.config) ? primaryHint : hintsOf(query);
}

/**
 * Takes the hints of a query along to its statements. Of a schema builder and of a query context,
 * Knex itself hands nothing to the connection, and of a stream's query context not even to the client.
 */
export class HintedRunner extends StockRunner {
  override query(statement: CompiledStatement | string): Promise<unknown> {
    const { builder, client, connection } = this;
    if (typeof statement === 'string' || !(connection instanceof ReplicatedConnection)) {
      return super.query(statement);
    }
    const trace = beginTrace(statement, hintsHere(client, builder));
    if (builder instanceof EventEmitter && builder.listenerCount('query') > 0) {
      // The next thing that happens; copies of Knex's are filled in like those of the client's event.
      builder.prependOnceListener('query', (event) => trace.follow(event));
    }
    const answer = super.query(statement);
    if (!statement.timeout) {
      return answer;
    }
    return answer.catch((error: unknown) => {
      throw trace.mark(error, connection.host);
    });
  }

  /** @param streaming given for streams alone. */
  override ensureConnection(run: unknown, streaming?: Streaming): Promise<unknown> {
    if (streaming !== undefined) {
      queries.set(streaming.stream, this.builder);
    }
    return runInFlow(this.builder, () => super.ensureConnection(run, streaming));
  }

  /** Nobody reads on when what it is piped into has ended: Knex would keep the connection for ever. */
  override pipe(writable: Writable, options?: unknown): Writable {
    const stream = this.stream(options);
    const leave = () => stream.destroy();
    writable.once('close', leave).once(errorMonitor, leave);
    stream.once('close', () => writable.off('close', leave).off(errorMonitor, leave));
    stream.pipe(writable);
    return writable;
  }
}
