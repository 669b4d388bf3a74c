import diagnosticsChannel from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  channels,
  createReplicatedPool,
  type ReplicatedPool,
  type ReplicatedPoolOptions,
  type StatementEvent,
} from '@rwsplit/core';
import type { ConnectionOptions } from '../../support/servers/cluster.ts';
import type { OwnedCluster } from '../../support/servers/start-cluster.ts';

/** Pools on a cluster of the test's own. */
export class Bed implements AsyncDisposable {
  readonly cluster: OwnedCluster;
  readonly #pools: ReplicatedPool[] = [];

  constructor(cluster: OwnedCluster) {
    this.cluster = cluster;
  }

  get primary(): ConnectionOptions {
    return this.cluster.connectionOptions(this.cluster.primary);
  }

  get replicas(): (ConnectionOptions & { name: string })[] {
    const { cluster } = this;
    return cluster.replicas.map((server) => ({
      ...cluster.connectionOptions(server),
      name: server.name,
    }));
  }

  /** Runs statements in the database of the pools. */
  async create(statements: readonly string[]): Promise<void> {
    const { cluster } = this;
    await cluster.primary.query(`USE ${cluster.database}`);
    for (const sql of statements) {
      await cluster.primary.query(sql);
    }
    await cluster.waitUntilReplicated();
  }

  /** A pool on all servers, which waits for replicas as long as a busy machine may need. */
  open(change: Partial<ReplicatedPoolOptions> = {}): ReplicatedPool {
    const pool = createReplicatedPool({
      primary: { ...this.primary, name: 'primary' },
      replicas: this.replicas,
      catalogueRefresh: false,
      causalWait: 10_000,
      ...change,
    });
    this.#pools.push(pool);
    return pool;
  }

  async closePools(): Promise<void> {
    await Promise.all(
      this.#pools.splice(0).map((pool) =>
        pool
          .promise()
          .end()
          .catch(() => {}),
      ),
    );
  }

  /** No replica applies anything until {@link apply}. */
  async hold(): Promise<void> {
    await Promise.all(this.cluster.replicas.map((replica) => replica.stopApplying()));
  }

  async apply(): Promise<void> {
    await Promise.all(this.cluster.replicas.map((replica) => replica.startApplying()));
    await this.cluster.waitUntilReplicated();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closePools();
    await this.cluster.stop();
  }
}

/** What is known of one plain read. */
export interface Seen {
  readonly rows: unknown;
  /** Name of the host that it ran on. */
  readonly host: string | null;
  readonly role: StatementEvent['role'];
  readonly reason: StatementEvent['reason'];
  readonly waited: number;
}

let count = 0;

/** Runs a read, and tells where it ran and what it showed. */
export async function look(
  run: (sql: string) => Promise<unknown>,
  sql = 'SELECT 1 AS one',
): Promise<Seen> {
  count += 1;
  const tag = `look-${process.pid}-${count}-`;
  let event: StatementEvent | undefined;
  const note = (message: unknown) => {
    const one = message as StatementEvent;
    if (one.sql.includes(tag)) {
      event = one;
    }
  };
  diagnosticsChannel.subscribe(channels.statement, note);
  try {
    const rows = await run(`${sql} /* ${tag} */`);
    if (event === undefined) {
      throw new Error('no event told of the read');
    }
    const { host, role, reason, waited } = event;
    return { rows, host, role, reason, waited };
  } finally {
    diagnosticsChannel.unsubscribe(channels.statement, note);
  }
}

/** A read through the pool itself. */
export function through(pool: ReplicatedPool): (sql: string) => Promise<unknown> {
  return async (sql) => (await pool.promise().query(sql))[0];
}

/** Reads until a replica serves it: it comes back by itself. */
export async function untilReplica(read: () => Promise<Seen>): Promise<Seen> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const seen = await read();
    if (seen.role === 'replica') {
      return seen;
    }
    if (Date.now() > deadline) {
      throw new Error(`no replica has served it: ${seen.reason} on ${seen.host}`);
    }
    await sleep(10);
  }
}
