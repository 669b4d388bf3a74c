import { contains, type GtidSet } from '../gtid/set.ts';
import type { Host } from '../pool/host.ts';
import { SideConnection } from '../pool/side-connection.ts';
import { executedIn, questionFor } from './snapshots.ts';

/** How much longer the last answer may take, in milliseconds. */
const longestAnswer = 1_000;
/** Between two questions, in milliseconds. */
const pause = 20;

/**
 * Whether a host has a set, or gets it within so many milliseconds; `null` if it does not say. One that was
 * elected just now may still apply what it had received.
 */
export async function hasWithin(
  host: Host,
  set: GtidSet,
  milliseconds: number,
): Promise<boolean | null> {
  const until = performance.now() + milliseconds;
  let connection: SideConnection | null = null;
  try {
    connection = new SideConnection(host);
    connection.limit(milliseconds + longestAnswer);
    const sql = await questionFor(connection);
    for (;;) {
      const [row] = await connection.query(sql);
      const executed = executedIn(row ?? []);
      if (executed !== null && contains(executed, set)) {
        return true;
      }
      if (performance.now() > until) {
        return false;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  } catch {
    return null;
  } finally {
    connection?.close();
  }
}
