import type { Lease } from '../pool/lease.ts';
import type { DriverError, RawConnection } from '../pool/mysql2.ts';
import { afterConnectionLoss } from '../session/state.ts';
import type { StatePin } from '../statement/facts.ts';
import type { Session, Task } from './session.ts';
import { sessionLost } from './session-lost.ts';

/** A command of the protocol that is no statement. */
export interface Command {
  /** Sends it; calls back when the server has answered. */
  send(connection: RawConnection, answered: (error: DriverError | null) => void): void;
  /** It was never sent. */
  refuse(error: Error): void;
  /** What it leaves behind in the connection; `null` for nothing. */
  readonly pin: StatePin | null;
}

/**
 * Runs a command on the connection that the session holds, else on one of the primary. What leaves
 * something behind runs on the primary only: a replica's connection cannot serve what comes after.
 */
export class RunCommand implements Task {
  readonly #session: Session;
  readonly #command: Command;
  #isRefused = false;

  constructor(session: Session, command: Command) {
    this.#session = session;
    this.#command = command;
  }

  run(done: () => void): void {
    const session = this.#session;
    if (session.state.lost) {
      done();
      this.refuse(sessionLost(session.state));
      return;
    }
    const held = session.lease;
    const isUsable = held !== null && (this.#command.pin === null || held.host.role === 'primary');
    if (isUsable) {
      this.#send(held, done);
      return;
    }
    session.letGo();
    session.context.hosts.lease('primary', [], (error, lease) => {
      if (this.#isRefused) {
        lease?.giveBack();
        done();
      } else if (lease === undefined) {
        done();
        this.#command.refuse(error ?? new Error('no connection'));
      } else {
        session.hold(lease);
        this.#send(lease, done);
      }
    });
  }

  refuse(error: Error): void {
    if (!this.#isRefused) {
      this.#isRefused = true;
      this.#command.refuse(error);
    }
  }

  #send(lease: Lease, done: () => void): void {
    const session = this.#session;
    const { pin } = this.#command;
    if (pin !== null) {
      session.state = { ...session.state, pin: session.state.pin ?? pin, dirty: true };
    }
    let isAnswered = false;
    try {
      this.#command.send(lease.connection, (error) => {
        isAnswered = true;
        if (error !== null && error.fatal === true) {
          session.spoil();
          session.state = afterConnectionLoss(session.state);
          session.letGo();
        }
        done();
      });
    } catch (error) {
      if (isAnswered) {
        // It is the caller's own, thrown where the answer was given.
        throw error;
      }
      // mysql2 throws for what it cannot send.
      done();
      this.refuse(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
