import type { Flavor } from './flavor.ts';
import type { OwnedServer } from './owned-server.ts';

/** What differs between the flavours in the language of roles. */
interface Dialect {
  readonly refuseWrites: string;
  readonly acceptWrites: string;
  /** Variable of the primary's side of semi-synchronous replication. */
  readonly semiSync: string;
  /** Before a server that was a primary becomes a replica. */
  readonly beforeFollowing: readonly string[];
}

const dialects: Readonly<Record<Flavor, Dialect>> = {
  mysql: {
    // It sets read_only as well, and the end of read_only ends both (MySQL manual).
    refuseWrites: 'SET GLOBAL super_read_only = ON',
    acceptWrites: 'SET GLOBAL read_only = OFF',
    semiSync: 'rpl_semi_sync_source_enabled',
    beforeFollowing: [],
  },
  mariadb: {
    refuseWrites: 'SET GLOBAL read_only = ON',
    acceptWrites: 'SET GLOBAL read_only = OFF',
    semiSync: 'rpl_semi_sync_master_enabled',
    // What it wrote itself does not count as replicated (MariaDB: gtid_slave_pos).
    beforeFollowing: ['SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_binlog_pos'],
  },
};

const catchUpDeadlineMs = 30_000;

/** Turns replicas into primaries and back, as a failover manager does. */
export class Roles {
  readonly #flavor: Flavor;
  readonly #dialect: Dialect;
  readonly #isSemiSync: boolean;

  constructor(flavor: Flavor, isSemiSync: boolean) {
    this.#flavor = flavor;
    this.#dialect = dialects[flavor];
    this.#isSemiSync = isSemiSync;
  }

  /** From now on, also after a restart, the server refuses the application's writes. */
  async refuseWrites(server: OwnedServer): Promise<void> {
    server.startsAs('replica');
    await server.query(this.#dialect.refuseWrites);
  }

  /** Makes a replica that has everything a primary, also after a restart. */
  async promote(server: OwnedServer): Promise<void> {
    server.startsAs('primary');
    await server.replication.forget();
    await this.#setSemiSync(server, 'ON');
    await server.query(this.#dialect.acceptWrites);
  }

  /** Lets a server that refuses writes follow a new primary. */
  async demote(server: OwnedServer, primary: OwnedServer): Promise<void> {
    // Not earlier: it ends the wait of commits that no replica has received.
    await this.#setSemiSync(server, 'OFF');
    for (const statement of this.#dialect.beforeFollowing) await server.query(statement);
    await server.replication.follow(primary.host, primary.port);
  }

  /** Waits until a replica has applied this GTID set. */
  async catchUp({ name, replication }: OwnedServer, gtids: string): Promise<void> {
    if (gtids === '' || (await replication.reaches(gtids, catchUpDeadlineMs / 1000))) return;
    const problem = (await replication.problem()) || 'it is behind';
    throw new Error(`${name} cannot take over: ${problem}`);
  }

  /** Of replicas of one primary, the one that has received the most. */
  async mostAdvanced(replicas: readonly OwnedServer[]): Promise<OwnedServer> {
    const [first, ...others] = replicas;
    if (first === undefined) throw new Error('no replica is left');
    let best = first;
    // They received the same transactions in the same order: one of two sets contains the other.
    for (const other of others) if (await this.#isAhead(other, best)) best = other;
    return best;
  }

  async #isAhead(one: OwnedServer, other: OwnedServer): Promise<boolean> {
    const [mine, others] = await Promise.all([this.#everReceived(one), this.#everReceived(other)]);
    if (this.#flavor === 'mariadb') return sequence(mine) > sequence(others);
    const sql = 'SELECT GTID_SUBSET(?, ?) AS isBehind';
    const [row] = await one.query<{ isBehind: number }>(sql, [mine, others]);
    return row?.isBehind === 0;
  }

  /** What was received before its last start is executed, or discarded and fetched again. */
  async #everReceived({ replication }: OwnedServer): Promise<string> {
    const received = await replication.received();
    const executed = await replication.executed();
    if (this.#flavor === 'mariadb') return received || executed;
    return [executed, received].filter((set) => set !== '').join(',');
  }

  async #setSemiSync(server: OwnedServer, value: 'ON' | 'OFF'): Promise<void> {
    if (this.#isSemiSync) await server.query(`SET GLOBAL ${this.#dialect.semiSync} = ${value}`);
  }
}

/** The last part of a MariaDB GTID, which counts a domain's transactions; the tests have one. */
function sequence(gtid: string): number {
  return Number(gtid.split('-')[2] ?? 0);
}
