import type { Transform } from 'node:stream';
import { ReplicatedConnection } from '@rwsplit/core';
import { hintsHere, queryOf } from './runner.ts';
import { type CompiledStatement, StockMysql2 } from './stock.ts';
import { beginTrace, type Trace, takeTrace, traceOf } from './trace.ts';

/** The statement whose event `query` is next: Knex emits it before anything else can happen. */
let entering: Trace | null = null;

/**
 * Hands the hints of queries to connections, and adds to events and errors where statements ran. Of
 * connections that are not core's, it is the stock client.
 */
export class TracedMysql2 extends StockMysql2 {
  override query(connection: unknown, given: CompiledStatement | string): Promise<unknown> {
    if (!(connection instanceof ReplicatedConnection)) {
      return super.query(connection, given);
    }
    const statement = typeof given === 'string' ? { sql: given } : given;
    return enter(traceOf(statement), () => super.query(connection, statement));
  }

  override stream(
    connection: unknown,
    given: CompiledStatement | string,
    stream: Transform,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    if (!(connection instanceof ReplicatedConnection)) {
      return super.stream(connection, given, stream, options);
    }
    const statement = typeof given === 'string' ? { sql: given } : given;
    const query = queryOf(stream);
    const trace = beginTrace(statement, query === undefined ? null : hintsHere(this, query));
    return enter(trace, () => super.stream(connection, statement, stream, options));
  }

  override emit(event: string | symbol, ...given: unknown[]): boolean {
    if (event === 'query') {
      entering?.follow(given[0]);
    }
    return super.emit(event, ...given);
  }

  override _query(connection: unknown, statement: CompiledStatement): Promise<CompiledStatement> {
    const trace = takeTrace(statement);
    if (trace === undefined) {
      return super._query(connection, statement);
    }
    return super._query(connection, trace.sent(statement)).then(
      ({ response }) => Object.assign(statement, { response }),
      (error: unknown) => {
        throw trace.mark(error);
      },
    );
  }

  override _stream(
    connection: unknown,
    statement: CompiledStatement,
    stream: Transform,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    if (stream.destroyed) {
      // It was closed while it waited for a connection. Knex would wait for its end, and never release.
      return Promise.resolve();
    }
    const trace = takeTrace(statement);
    if (trace === undefined) {
      return super._stream(connection, statement, stream, options);
    }
    const done = super._stream(connection, trace.sent(statement), stream, options);
    stream.prependOnceListener('error', (error) => trace.mark(error));
    return done;
  }
}

function enter<Result>(trace: Trace, run: () => Result): Result {
  entering = trace;
  try {
    return run();
  } finally {
    entering = null;
  }
}
