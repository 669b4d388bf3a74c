import type { Role } from '../routing/reasons.ts';
import type { RawConnection } from './mysql2.ts';

/** What is known of one physical connection, for as long as it lives. */
export interface Physical {
  /** What its session is set up as; `null` before its first use, and after a reset. */
  preparedAs: Role | null;
  /** Whether the server has forgotten what the login had agreed on. */
  isReset: boolean;
  /** Whether it has a listener for errors. */
  isWatched: boolean;
  /** When it was given back last, by `performance.now()`. */
  idleSince: number;
  /**
   * The last insert ids that the server told on it since it was new or reset: what LAST_INSERT_ID()
   * may say there to somebody who has inserted nothing.
   */
  insertIds: readonly string[];
}

const physicals = new WeakMap<RawConnection, Physical>();

/** The record of a connection: mysql2 gives the same object again and again. */
export function physicalOf(connection: RawConnection): Physical {
  let physical = physicals.get(connection);
  if (physical === undefined) {
    physical = {
      preparedAs: null,
      isReset: false,
      isWatched: false,
      idleSince: performance.now(),
      insertIds: [],
    };
    physicals.set(connection, physical);
  }
  return physical;
}

/** To be called when the server has forgotten the session of a connection. */
export function markReset(physical: Physical): void {
  physical.preparedAs = null;
  physical.isReset = true;
  physical.insertIds = [];
}

/** Enough for the statements of one session; older ones are not what the server says next. */
const mostInsertIds = 8;

/** To be called with each insert id that the server tells. */
export function rememberInsertId(physical: Physical, insertId: string): void {
  physical.insertIds = [...physical.insertIds.slice(1 - mostInsertIds), insertId];
}
