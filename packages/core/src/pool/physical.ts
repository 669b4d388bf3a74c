import type { Role } from '../routing/reasons.ts';
import { InsertedIds } from './inserted-ids.ts';
import type { RawConnection } from './mysql2.ts';

/** What is known of one physical connection, for as long as it lives. */
export interface Physical {
  /** What its session is set up as; `null` before its first use, and after a reset. */
  preparedAs: Role | null;
  /** Which generation of its host's connections it is of. */
  generation: number;
  /** When it is too old to be used again, by `performance.now()`. */
  expiresAt: number;
  /** Whether the server has forgotten what the login had agreed on. */
  isReset: boolean;
  /** Whether it has a listener for errors. */
  isWatched: boolean;
  /** When it was given back last, by `performance.now()`. */
  idleSince: number;
  /** What LAST_INSERT_ID() may say on it to somebody who has inserted nothing. */
  readonly inserted: InsertedIds;
}

const physicals = new WeakMap<RawConnection, Physical>();

/** The record of a connection: mysql2 gives the same object again and again. */
export function physicalOf(connection: RawConnection): Physical {
  let physical = physicals.get(connection);
  if (physical === undefined) {
    physical = {
      preparedAs: null,
      generation: 0,
      expiresAt: Number.POSITIVE_INFINITY,
      isReset: false,
      isWatched: false,
      idleSince: performance.now(),
      inserted: new InsertedIds(),
    };
    physicals.set(connection, physical);
  }
  return physical;
}

/** To be called when the server has forgotten the session of a connection. */
export function markReset(physical: Physical): void {
  physical.preparedAs = null;
  physical.isReset = true;
  physical.inserted.clear();
}
