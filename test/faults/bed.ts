import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type HostEvent } from '@rwsplit/core';
import type { Cluster } from '../support/servers/cluster.ts';
import type { Server } from '../support/servers/server.ts';
import { createLedgerTable } from './ledger.ts';
import { until } from './load.ts';

type HostState = HostEvent['state'];

/** What the tests of this folder read and write: `item` with three rows, and `entry` for ledgers. */
export async function createTables(cluster: Cluster, database = 'app'): Promise<void> {
  await cluster.primary.query(`CREATE TABLE ${database}.item (id INT PRIMARY KEY)`);
  await cluster.primary.query(`INSERT INTO ${database}.item VALUES (1), (2), (3)`);
  await createLedgerTable(cluster.primary, `${database}.entry`);
  await cluster.waitUntilReplicated();
}

/** A host as options, under the name that the cluster has for it. */
export function hostOf(cluster: Cluster, server: Server, database = 'app') {
  return { ...cluster.connectionOptions(server, database), name: server.name };
}

/** All hosts of a cluster as options. */
export function hostsOf(cluster: Cluster, database = 'app') {
  return {
    primary: hostOf(cluster, cluster.primary, database),
    replicas: cluster.replicas.map((server) => hostOf(cluster, server, database)),
  };
}

/** What is published on `rwsplit:host` while it is watched. */
export class HostWatch implements Disposable {
  readonly events: HostEvent[] = [];
  readonly #note = (event: unknown) => {
    this.events.push(event as HostEvent);
  };

  constructor() {
    subscribe(channels.host, this.#note);
  }

  /** The states that a host went through, in order. */
  statesOf({ name }: { readonly name: string }): string[] {
    return this.events.filter(({ host }) => host === name).map(({ state }) => state);
  }

  /** Waits until this was a host's last state. */
  async until({ name }: { readonly name: string }, state: HostState): Promise<void> {
    await until(() => this.statesOf({ name }).at(-1) === state);
  }

  [Symbol.dispose](): void {
    unsubscribe(channels.host, this.#note);
  }
}
