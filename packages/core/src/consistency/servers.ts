import { WriteMarks } from './marks.ts';

/** What pools on the same servers have in common. */
export interface Servers {
  readonly cluster: string;
  /** What this process has written. */
  readonly written: WriteMarks;
}

const named = new Map<string, Servers>();

/** Pools whose servers have a name share what is written there. */
export function serversOf(cluster: string): Servers {
  const known = cluster === '' ? undefined : named.get(cluster);
  const servers = known ?? { cluster, written: new WriteMarks() };
  if (cluster !== '') {
    named.set(cluster, servers);
  }
  return servers;
}
