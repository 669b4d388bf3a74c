import type { ArgumentCounts } from '../../packages/core/src/statement/functions/table.ts';
import { createDecoys, dropDecoys, gaps, reachesDecoy, thoroughEffort } from './hijack.ts';
import { onEach, type Server, spread } from './server.ts';

/** Stands for every number above those that are tried with few parameters. */
const manyArguments = 9;

/**
 * The numbers of arguments with which no spelling of a call runs a stored function of that name:
 * one range, or nothing where there is none.
 */
export async function findSafeCounts(
  server: Server,
  names: readonly string[],
): Promise<Map<string, ArgumentCounts>> {
  const effort = thoroughEffort(server);
  const counts = [...effort.argumentCounts, manyArguments];
  const safe = new Map(names.map((name) => [name, new Set(counts)]));
  for (const arity of effort.arities) {
    await createDecoys(server, names, arity);
    for (const mode of effort.sqlModes) {
      await onEach(server, `SET SESSION sql_mode = ${mode}`);
      await dropReached(server, safe);
    }
    await onEach(server, 'SET SESSION sql_mode = DEFAULT');
    await dropDecoys(server, arity);
  }
  const ranges = [...safe].map(([name, left]) => [name, rangeOf(left, counts)] as const);
  return new Map(ranges.flatMap(([name, range]) => (range === null ? [] : [[name, range]])));
}

/** Takes away the numbers of arguments with which a call ends at the decoy. */
async function dropReached(server: Server, safe: ReadonlyMap<string, Set<number>>): Promise<void> {
  await spread(server, safe, async (connection, [name, counts]) => {
    for (const count of [...counts]) {
      const args = Array(count).fill('0').join();
      for (const gap of gaps) {
        if (await reachesDecoy(connection, `SELECT ${name}${gap}(${args})`)) counts.delete(count);
      }
    }
  });
}

/** `null` if there are gaps between the numbers, or none of them. */
function rangeOf(safe: ReadonlySet<number>, tried: readonly number[]): ArgumentCounts | null {
  const [least] = safe;
  const most = [...safe].at(-1);
  if (least === undefined || most === undefined) return null;
  const between = tried.filter((count) => count >= least && count <= most);
  if (between.length !== safe.size) return null;
  return [least, most === manyArguments ? Number.POSITIVE_INFINITY : most];
}
