import { failureOf } from '../pool/failure.ts';
import type { DriverError } from '../pool/mysql2.ts';
import { unanswerable } from '../routing/follow-up.ts';
import { afterAsking, bearsDoubt } from '../session/observe.ts';
import { afterRollback, isInDoubt, type SessionState } from '../session/state.ts';
import type { Facts } from '../statement/facts.ts';
import { followUpLost, followUpOnReplica, sessionLost } from './refusals.ts';
import { responseOf } from './response.ts';
import type { Session } from './session.ts';
import type { Statement } from './statement.ts';
import type { SessionContext } from './task-queue.ts';

/** Why a statement is not sent. */
export type Obstacle =
  | {
      readonly kind: 'refused';
      readonly reason: 'transaction' | 'follow-up';
      readonly error: Error;
    }
  /** The server has rolled back already what it would roll back. */
  | { readonly kind: 'rolled-back' };

/** Whether a statement depends on what its session has lost, does not know, or may be asked. */
export function needsCheck(state: SessionState, { asks }: Facts): boolean {
  return state.lost !== null || isInDoubt(state) || asks.length > 0;
}

/**
 * What has to be true of a session before a statement is routed. Nothing runs in one that has lost what
 * it would run in; what is in doubt, the server says; and what the statement asks of earlier ones, it
 * gets from their connection, or not at all.
 */
export class SessionCheck {
  readonly #context: SessionContext;
  readonly #session: Session;
  readonly #statement: Statement;
  readonly #facts: Facts;
  /** Told `null` if the statement may be routed. */
  readonly #callback: (obstacle: Obstacle | null) => void;

  constructor(
    context: SessionContext,
    session: Session,
    statement: Statement,
    facts: Facts,
    callback: (obstacle: Obstacle | null) => void,
  ) {
    this.#context = context;
    this.#session = session;
    this.#statement = statement;
    this.#facts = facts;
    this.#callback = callback;
  }

  run(): void {
    const session = this.#session;
    const { lost } = session.state;
    if (lost !== null && !this.#startsAgain()) {
      this.#refuse('transaction', sessionLost(session.state));
    } else if (lost === 'connection') {
      session.state = afterRollback(session.state);
      this.#callback({ kind: 'rolled-back' });
    } else if (isInDoubt(session.state) && !bearsDoubt(this.#facts)) {
      this.#askWhetherOpen();
    } else {
      session.state = lost === null ? session.state : afterRollback(session.state);
      this.#checkAnswers();
    }
  }

  #refuse(reason: 'transaction' | 'follow-up', error: Error): void {
    this.#callback({ kind: 'refused', reason, error });
  }

  /** Whether a statement may run, or need not, in a session that has lost its transaction. */
  #startsAgain(): boolean {
    const { kind } = this.#facts;
    const { lost, transaction } = this.#session.state;
    return lost === 'connection'
      ? kind === 'rollback' && transaction !== 'none'
      : kind === 'rollback' || kind === 'begin';
  }

  #askWhetherOpen(): void {
    const session = this.#session;
    // It does nothing, and its answer has the flags.
    this.#ask('DO 0', (error, result) => {
      if (error === null || failureOf(error) === 'statement') {
        // What the server refuses it would refuse in no other state: XA END has ended its branch.
        const status = error === null ? responseOf(result).serverStatus : null;
        session.state = afterAsking(session.state, status);
        this.run();
      } else {
        session.loseConnection();
        this.#refuse('transaction', sessionLost(session.state));
      }
    });
  }

  /** A statement of our own on the connection that the session holds. */
  #ask(sql: string, callback: (error: DriverError | null, result?: unknown) => void): void {
    const lease = this.#session.lease;
    if (lease === null) {
      callback(new Error('no connection'));
      return;
    }
    try {
      const { timeout } = this.#statement;
      const limit = timeout === undefined ? {} : { timeout };
      lease.connection.query({ sql, rowsAsArray: true, ...limit }, (error, result) =>
        callback(error, result),
      );
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #checkAnswers(): void {
    const facts = this.#facts;
    const session = this.#session;
    this.#proveDiagnostics();
    const lost = unanswerable({
      facts,
      state: session.state,
      held: session.lease?.role ?? null,
      isCatalogueBehind: this.#context.catalogue.isBehind,
    });
    if (lost !== null) {
      const isElsewhere = lost.why === 'replica';
      this.#refuse(
        'follow-up',
        isElsewhere ? followUpOnReplica(lost.answer) : followUpLost(lost.answer),
      );
    } else if (facts.asks.includes('insert-id') && !session.isAloneWithInserts) {
      this.#checkInsertId();
    } else {
      this.#callback(null);
    }
  }

  /** MariaDB keeps the warnings of before behind what touches no table; the last text shows whether it did. */
  #proveDiagnostics(): void {
    const session = this.#session;
    const { previous, state } = session;
    if (
      previous === null ||
      !this.#facts.asks.includes('diagnostics') ||
      state.answers.includes('diagnostics')
    ) {
      return;
    }
    if (this.#context.catalogue.inspector.tables(previous.sql).length > 0) {
      session.state = { ...state, answers: [...state.answers, 'diagnostics'] };
    }
  }

  /**
   * LAST_INSERT_ID() may still be that of the connection's last user: after an INSERT whose id was
   * given, which the server tells like one that it has generated (measured). So it is asked first.
   */
  #checkInsertId(): void {
    const session = this.#session;
    const { mayHaveInserted } = session.state;
    if (this.#facts.asks.length > 1) {
      // To ask the server would change what else it is asked for.
      this.#refuse('follow-up', followUpLost('insert-id'));
      return;
    }
    this.#ask('SELECT LAST_INSERT_ID()', (error, rows) => {
      const id = Array.isArray(rows) && Array.isArray(rows[0]) ? String(rows[0][0]) : '';
      // Other questions would now be answered for this one.
      session.forgetPrevious();
      if (error === null && session.ownsInsertId(id, mayHaveInserted)) {
        this.#callback(null);
      } else {
        this.#refuse('follow-up', followUpLost('insert-id'));
      }
    });
  }
}
