import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { Random } from '../../proofs/random.ts';
import type { Server } from '../../support/servers/server.ts';
import type { OwnedCluster } from '../../support/servers/start-cluster.ts';
import type { LeakBed } from './leak-bed.ts';
import { connectionIds, leftovers } from './leftovers.ts';

/** What connections hold while nobody has them, looked at again and again until it is stopped. */
export function watchIdle(cluster: OwnedCluster, bed: LeakBed): { stop(): Promise<string[]> } {
  const found: string[] = [];
  let isOn = true;
  const idleOn = ({ port }: Server) =>
    new Map(bed.ledgers().flatMap((each) => (each.port === port ? [...each.idle] : [])));
  const work = (async () => {
    while (isOn) {
      for (const server of cluster.all) {
        const before = idleOn(server);
        const held = await leftovers(server);
        const after = idleOn(server);
        // Nobody has had them in between.
        const isIdle = (id: number) => before.has(id) && before.get(id) === after.get(id);
        const idle = held.filter(({ threadId }) => isIdle(threadId));
        found.push(...idle.map(({ threadId, what }) => `${server.name} ${threadId}: ${what}`));
      }
      await sleep(100);
    }
  })();
  return {
    async stop() {
      isOn = false;
      await work;
      return found;
    },
  };
}

/** Kills statements and connections of the application, now and then, until it is stopped. */
export function killAtRandom(cluster: OwnedCluster, random: Random): { stop(): Promise<void> } {
  let isOn = true;
  const work = (async () => {
    while (isOn) {
      await sleep(10 + random.below(30));
      const server = random.pick(cluster.all);
      const ids = await connectionIds(server);
      if (ids.length > 0) {
        const scope = random.chance(0.6) ? 'QUERY' : 'CONNECTION';
        // It may be gone by now.
        await server.query(`KILL ${scope} ${random.pick(ids)}`).catch(() => {});
      }
    }
  })();
  return {
    async stop() {
      isOn = false;
      await work;
    },
  };
}

/** Errors that nobody caught while the callback ran: what callers throw in callbacks ends there. */
export async function surfacing(callback: () => Promise<void>): Promise<unknown[]> {
  const surfaced: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => surfaced.push(error));
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    await callback();
    await sleep(20);
  } finally {
    log.mockRestore();
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) {
      process.on('uncaughtException', listener);
    }
  }
  return surfaced;
}
