import { WriteMarks } from './marks.ts';

/** What pools on the same servers have in common. */
export interface Servers {
  readonly cluster: string;
  /** What this process has written. */
  readonly written: WriteMarks;
}

const known = new Map<string, Servers>();

/**
 * Pools whose servers have one name, or that name none and have one primary, share what is written there:
 * it is the process that reads its writes, however many instances of an ORM it makes.
 *
 * @param address where the primary was configured to be; `null`: nobody knows.
 */
export function serversOf(cluster: string, address: string | null): Servers {
  if (cluster === '' && address === null) {
    return { cluster, written: new WriteMarks() };
  }
  const key = cluster === '' ? `at ${address}` : `as ${cluster}`;
  const servers = known.get(key) ?? { cluster, written: new WriteMarks() };
  known.set(key, servers);
  return servers;
}
