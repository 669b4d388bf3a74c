import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ClientSession, ReplicatedConnection, ReplicatedPool } from '@rwsplit/core';
import { createPool } from 'mysql2';
import { app } from '../support/servers/accounts.ts';
import { mostConnections, type Stage } from './stage.ts';

/** What must be the same in the middle and at the end, with no statement under way. */
export interface Figures {
  /** After a collection, in bytes. */
  readonly heap: number;
  /** What keeps the process alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** What is alive, whether it keeps the process alive or not. */
  readonly objects: {
    readonly pools: number;
    /** mysql2's pools: one of each host of each pool. */
    readonly hosts: number;
    readonly borrowed: number;
    readonly sessions: number;
    readonly timers: number;
    readonly sockets: number;
    readonly promises: number;
  };
  readonly listeners: number;
  /** Connections through the network before each server. */
  readonly links: readonly number[];
  /** Connections of the application on each server, by its own word. */
  readonly connections: readonly number[];
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const timer = setTimeout(() => {}, 0);
const Timer = timer.constructor;
clearTimeout(timer);
const HostPool = createPool({}).constructor;

/** Takes the figures of this process and of the servers. */
export async function takeFigures(stage: Stage): Promise<Figures> {
  const { links, connections } = await settledConnections(stage);
  // What the first collection finishes, the second one frees.
  collect();
  await sleep(50);
  collect();
  return {
    heap: process.memoryUsage().heapUsed,
    resources: countsOf(process.getActiveResourcesInfo()),
    objects: {
      pools: alive(ReplicatedPool),
      hosts: alive(HostPool),
      borrowed: alive(ReplicatedConnection),
      sessions: alive(ClientSession),
      timers: alive(Timer),
      sockets: alive(Socket),
      promises: alive(Promise),
    },
    listeners: listenersOf(stage),
    links,
    connections,
  };
}

function alive(kind: typeof HostPool): number {
  return queryObjects(kind, { format: 'count' });
}

/** Connections come and go: what is counted on both sides is looked at until it agrees. */
async function settledConnections(stage: Stage): Promise<Pick<Figures, 'links' | 'connections'>> {
  for (let left = 20; ; left--) {
    const links = stage.cluster.all.map((server) => stage.proxyOf(server).connections);
    const connections = await Promise.all(
      stage.cluster.all.map(async (server) => {
        const sql = 'SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ?';
        const [row] = await server.query<{ n: number }>(sql, [app.user]);
        return Number(row?.n);
      }),
    );
    const isLow = connections.every((count) => count <= mostConnections);
    const isSettled = isLow && `${links}` === `${connections}`;
    if (left === 0 || isSettled) return { links, connections };
    await sleep(100);
  }
}

function listenersOf({ lasting }: Stage): number {
  const emitters = [process, ...lasting.map(({ pool }) => pool)];
  return emitters
    .flatMap((emitter) => emitter.eventNames().map((name) => emitter.listenerCount(name)))
    .reduce((sum, count) => sum + count, 0);
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
