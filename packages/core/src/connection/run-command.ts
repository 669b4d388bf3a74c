import type { Lease } from '../pool/lease.ts';
import type { DriverError, RawConnection } from '../pool/mysql2.ts';
import { withHold } from '../session/state.ts';
import type { StatePin } from '../statement/facts.ts';
import { sessionLost } from './refusals.ts';
import type { Session } from './session.ts';
import type { Task, TaskQueue } from './task-queue.ts';

/** A command of the protocol that is no statement. */
export interface Command {
  /** Sends it; calls back when the server has answered. */
  send(connection: RawConnection, answered: (error: DriverError | null) => void): void;
  /** It was never sent. */
  refuse(error: Error): void;
  /** What it leaves behind in the connection; `null` for nothing. */
  readonly pin: StatePin | null;
  /** Whether what it leaves behind is undone by nothing but closing the connection. */
  readonly isLasting: boolean;
}

/**
 * Runs a command on the connection that the session holds, else on one of the primary. What leaves
 * something behind runs on the primary only: a replica's connection cannot serve what comes after.
 */
export class RunCommand implements Task {
  readonly #queue: TaskQueue;
  readonly #command: Command;
  #isRefused = false;

  constructor(queue: TaskQueue, command: Command) {
    this.#queue = queue;
    this.#command = command;
  }

  run(done: () => void): void {
    this.#queue.settle(this.#command.pin, [], (error) => {
      if (this.#isRefused) {
        done();
      } else if (error === null) {
        this.#runSettled(done);
      } else {
        done();
        this.refuse(error);
      }
    });
  }

  get #session(): Session {
    return this.#queue.session;
  }

  #runSettled(done: () => void): void {
    const session = this.#session;
    if (session.state.lost) {
      done();
      this.refuse(sessionLost(session.state));
      return;
    }
    // A replica's connection cannot serve what comes after a command that leaves something behind.
    const isUsable = session.lease !== null && this.#command.pin === null;
    const held = isUsable ? session.lease : session.moveTo('primary');
    if (held !== null) {
      this.#send(held, done);
      return;
    }
    this.#queue.context.hosts.leasePrimary((failure, lease) => {
      if (this.#isRefused) {
        lease?.giveBack();
        done();
      } else if (lease === undefined) {
        done();
        this.#command.refuse(failure?.error ?? new Error('no connection'));
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
      session.state = withHold(session.state, { pin, object: null });
      session.isUntracked = true;
    }
    if (this.#command.isLasting) {
      session.estrange();
    }
    let isAnswered = false;
    lease.began();
    try {
      this.#command.send(lease.connection, (error) => {
        isAnswered = true;
        lease.ended();
        lease.host.answered();
        if (error !== null && error.fatal === true) {
          session.loseConnection();
        }
        done();
      });
    } catch (error) {
      if (isAnswered) {
        // It is the caller's own, thrown where the answer was given.
        throw error;
      }
      // mysql2 throws for what it cannot send.
      lease.ended();
      done();
      this.refuse(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
