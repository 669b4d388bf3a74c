import { setTimeout as sleep } from 'node:timers/promises';
import { app, replication } from './accounts.ts';
import { AdminConnection } from './admin-connection.ts';
import { Deployment } from './deployment.ts';
import type { ServerProgram } from './find.ts';
import type { OwnedServer } from './owned-server.ts';
import type { Site } from './site.ts';

/** A row of `performance_schema.replication_group_members`. */
export interface MemberRow {
  readonly port: number;
  readonly state: string;
  readonly role: string;
}

const table = 'performance_schema.replication_group_members';
const membersOf = `SELECT MEMBER_PORT AS port, MEMBER_STATE AS state, MEMBER_ROLE AS role
  FROM ${table}`;
const startMember = `START GROUP_REPLICATION USER='${replication.user}', PASSWORD='${replication.password}'`;
const pollMs = 20;

/** A group that this process started and ends: MySQL Group Replication, one primary at a time. */
export class Group extends Deployment<OwnedServer> implements AsyncDisposable {
  readonly #site: Site;

  constructor(
    { flavor, version }: ServerProgram,
    servers: readonly [OwnedServer, ...OwnedServer[]],
    site: Site,
  ) {
    super(flavor, version, servers);
    this.#site = site;
  }

  /** The temporary folder with all of the group's files. */
  get folder(): string {
    return this.#site.folder;
  }

  /** @internal */
  async create(): Promise<void> {
    await this.#site.create(this.all);
    const [first, ...others] = this.all;
    await first.query('SET GLOBAL group_replication_bootstrap_group = ON');
    await this.join(first);
    await first.query('SET GLOBAL group_replication_bootstrap_group = OFF');
    await Promise.all(others.map((member) => this.join(member)));
    await first.query(`GRANT SELECT ON ${table} TO ${app.user}`);
    await this.waitUntilOnline(this.all.length);
    await this.waitUntilReplicated();
  }

  /** The group's members as this one sees them: itself alone when it is in no group. */
  members(server: OwnedServer): Promise<MemberRow[]> {
    return server.query<MemberRow & Record<string, unknown>>(membersOf);
  }

  /**
   * The member that says of itself that it is the primary and accepts writes.
   *
   * @throws Error when none says so within the time, default 30 seconds
   */
  async primary(timeoutMs = 30_000): Promise<OwnedServer> {
    const isPrimary = await this.#until('no member is the primary', timeoutMs, async () => {
      const answers = await Promise.all(this.all.map((server) => this.#isPrimary(server)));
      return this.all.find((_, index) => answers[index]);
    });
    return isPrimary;
  }

  /** The members that run and are not the primary. */
  async secondaries(): Promise<OwnedServer[]> {
    const primary = await this.primary();
    return this.all.filter((server) => server !== primary && server.isAnswering);
  }

  /** Waits until as many members as this say that they and all others of them are ONLINE. */
  async waitUntilOnline(count: number, timeoutMs = 30_000): Promise<void> {
    await this.#until(`${count} members are not ONLINE`, timeoutMs, async () => {
      const views = await Promise.all(this.all.map((server) => this.#view(server)));
      const agreeing = views.filter((rows) => {
        const online = rows.filter(({ state }) => state === 'ONLINE');
        return online.length === count && rows.length === count;
      });
      return agreeing.length >= count ? true : undefined;
    });
  }

  /** Waits until all members that run have what the primary has committed. */
  async waitUntilReplicated(timeoutMs = 10_000): Promise<void> {
    const executed = await (await this.primary()).replication.executed();
    for (const { name, replication } of await this.secondaries()) {
      if (await replication.reaches(executed, timeoutMs / 1000)) continue;
      throw new Error(`${name} did not catch up within ${timeoutMs} ms`);
    }
  }

  /** Lets a server that runs become a member, again or for the first time. */
  async join(server: OwnedServer): Promise<void> {
    await server.query('STOP GROUP_REPLICATION');
    await server.query(startMember);
  }

  /** Takes a member out of the group, in order; it refuses writes afterwards. */
  async leave(server: OwnedServer): Promise<void> {
    await server.query('STOP GROUP_REPLICATION');
  }

  /** Starts a server that is dead or not, and lets it join. */
  async rejoin(server: OwnedServer): Promise<void> {
    await server.restart();
    await this.join(server);
  }

  /**
   * Moves the primary, in order. It waits for the transactions that are open; after
   * `timeoutSeconds`, where given, it ends the connections that have one (MySQL manual,
   * group_replication_set_as_primary).
   */
  async switchover(to: OwnedServer, timeoutSeconds?: number): Promise<void> {
    // Not the server's connection, which others want to use during the wait.
    const connection = new AdminConnection(to.host, to.port);
    try {
      await connection.query(
        timeoutSeconds === undefined
          ? 'SELECT group_replication_set_as_primary(@@server_uuid)'
          : `SELECT group_replication_set_as_primary(@@server_uuid, ${timeoutSeconds})`,
      );
    } finally {
      connection.close();
    }
  }

  /** Kills the servers and removes their files. Calling it again does nothing. */
  stop(): Promise<void> {
    return this.#site.close(this.all);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #isPrimary(server: OwnedServer): Promise<boolean> {
    const rows = await this.#view(server);
    const mine = rows.find(({ port }) => port === server.port);
    const online = rows.filter(({ state }) => state === 'ONLINE');
    if (mine?.role !== 'PRIMARY' || mine.state !== 'ONLINE' || online.length <= rows.length / 2)
      return false;
    const sql = 'SELECT @@GLOBAL.super_read_only AS isReadOnly';
    const [row] = await server.query<{ isReadOnly: number }>(sql).catch(() => []);
    return row?.isReadOnly === 0;
  }

  /** Nothing from a server that hangs, is dead or is about to die. */
  async #view(server: OwnedServer): Promise<MemberRow[]> {
    return server.isAnswering ? this.members(server).catch(() => []) : [];
  }

  async #until<T>(problem: string, timeoutMs: number, look: () => Promise<T | undefined>) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`${problem} after ${timeoutMs} ms`);
      await sleep(pollMs);
    }
  }
}
