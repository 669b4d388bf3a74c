import {
  freshSession,
  type Hold,
  type SessionState,
} from '../../../packages/core/src/session/state.ts';
import type { Dialect, Facts } from '../../../packages/core/src/statement/facts.ts';
import { classifiers } from '../statement/rows.ts';

/** The facts of a text, from the classifier itself. */
export function says(sql: string, dialect: Dialect = 'mysql'): Facts {
  return classifiers[dialect].classify(sql);
}

/** A session that differs from a fresh one in this. */
export function session(change: Partial<SessionState>): SessionState {
  return { ...freshSession, ...change };
}

export function hold(pin: Hold['pin'], object: string | null = null): Hold {
  return { pin, object };
}

/** A session whose connection holds this and nothing else. */
export function holding(...holds: Hold[]): SessionState {
  return session({ holds });
}

export const open = session({ transaction: 'open' });
export const prepared = session({ transaction: 'prepared' });
export const doubtful = session({ transaction: 'doubtful' });
export const perhapsOver = session({ transaction: 'perhaps-over' });
export const written = session({ hasWritten: true });
export const autocommitOff = holding(hold('autocommit-off'));
