import { type GtidSet, parseGtidSet } from './set.ts';

const uuid = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/;

/**
 * Reads MySQL's `gtid_owned`: the GTIDs of transactions on their way, each with the thread that has it.
 * `uuid:7#45:8#46` is 7 and 8. Nothing stands between one uuid and the thread before it (measured).
 *
 * @returns `null` for any other text
 */
export function parseOwnedGtids(text: string): GtidSet | null {
  const parts = text.toLowerCase().split(uuid);
  const withoutThreads = parts.map((part, index) => {
    const isUuid = index % 2 === 1;
    return isUuid && index > 1 ? `,${part}` : part.replace(/#\d+/g, '');
  });
  return parseGtidSet(withoutThreads.join(''), 'mysql');
}
