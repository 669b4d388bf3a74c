import { createConnection } from 'mysql2/promise';
import { afterAll, describe, expect, it } from 'vitest';
import { type Ask, LagProbe } from '../../../packages/core/src/monitor/lag-probe.ts';
import type { Row } from '../../../packages/core/src/topology/topology.ts';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import type { Server } from '../../support/servers/server.ts';
import { startCluster } from '../../support/servers/start-cluster.ts';

/** What the account must be granted for the best source of its server. */
const rights: Readonly<Record<Flavor, string>> = {
  mysql: 'SELECT ON performance_schema.*',
  mariadb: 'REPLICA MONITOR ON *.*',
};

/** By how much a lag may be off, in milliseconds: MariaDB has whole seconds of two clocks. */
const precision: Readonly<Record<Flavor, number>> = { mysql: 2, mariadb: 1000 };

const secondChannel: Readonly<Record<Flavor, readonly [add: string, remove: string]>> = {
  mysql: [
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1 FOR CHANNEL 'second'",
    "RESET REPLICA ALL FOR CHANNEL 'second'",
  ],
  mariadb: ["CHANGE MASTER 'second' TO MASTER_HOST='127.0.0.1'", "RESET REPLICA 'second' ALL"],
};

function becomes(measure: () => Promise<number | null>) {
  return expect.poll(measure, { timeout: 20_000, interval: 20 });
}

describe.each(flavors)('lag on %s', async (flavor) => {
  const cluster = await startCluster({ flavor, replicas: 1, statementLog: false });
  const closing: (() => void)[] = [];
  afterAll(async () => {
    for (const close of closing) close();
    await cluster.stop();
  });
  const { primary, database } = cluster;
  const [replica] = cluster.replicas;
  if (replica === undefined) throw new Error('a cluster with lag has a replica');

  const connect = async (server: Server, user: string, timezone = '+00:00'): Promise<Ask> => {
    const { host, port } = server;
    const connection = await createConnection({ host, port, user, password: 'probe' });
    connection.on('error', () => {});
    closing.push(() => connection.destroy());
    await connection.query(`SET time_zone = '${timezone}'`);
    return async (sql) => {
      const [rows] = await connection.query(sql);
      return rows as Row[];
    };
  };
  await primary.query("CREATE USER nobody@'%' IDENTIFIED BY 'probe'");
  await primary.query("CREATE USER probe@'%' IDENTIFIED BY 'probe'");
  await primary.query(`GRANT ${rights[flavor]} TO probe@'%'`);
  await primary.query(`GRANT SELECT ON ${database}.* TO probe@'%'`);
  await primary.query(`CREATE TABLE ${database}.items (id INT PRIMARY KEY AUTO_INCREMENT)`);
  await cluster.waitUntilReplicated();
  const write = () => primary.query(`INSERT INTO ${database}.items VALUES ()`);
  const ask = await connect(replica, 'probe');
  /** By a probe that has seen nothing yet. */
  const lag = () => new LagProbe(null).measure(ask);

  it('is none while all that was sent is applied', async () => {
    await write();
    await cluster.waitUntilReplicated();
    await becomes(lag).toBe(0);
  });

  it('is the age of the oldest transaction that is not applied', async () => {
    await replica.query(`LOCK TABLES ${database}.items READ`);
    const sent = Date.now();
    await write();
    const done = Date.now();
    await write();
    await becomes(lag).toBeGreaterThanOrEqual(1000);
    const before = Date.now();
    const measured = await lag();
    const after = Date.now();
    await replica.query('UNLOCK TABLES');
    expect(measured).toBeGreaterThanOrEqual(before - done - precision[flavor]);
    expect(measured).toBeLessThanOrEqual(after - sent + precision[flavor]);
    await cluster.waitUntilReplicated();
    await becomes(lag).toBe(0);
  });

  it('is the delay of a replica that has one, while it waits', async () => {
    await replica.delay(30);
    await write();
    await becomes(lag).toBe(30_000);
    await replica.delay(0);
    await cluster.waitUntilReplicated();
    await becomes(lag).toBe(0);
  });

  it('is not known while nothing is applied, nor while nothing is received', async () => {
    await replica.stopApplying();
    expect(await lag()).toBeNull();
    await replica.startApplying();
    await becomes(lag).toBe(0);
    await replica.query('STOP REPLICA IO_THREAD');
    expect(await lag()).toBeNull();
    await replica.query('START REPLICA IO_THREAD');
    await becomes(lag).toBe(0);
  });

  it('is not known if one of two channels does not run', async () => {
    const [add, remove] = secondChannel[flavor];
    await replica.query(add);
    expect(await lag()).toBeNull();
    await replica.query(remove);
    expect(await lag()).toBe(0);
  });

  it('is not known on a server that is no replica', async () => {
    expect(await new LagProbe(null).measure(await connect(primary, 'probe'))).toBeNull();
  });

  it('is not known to an account that may read nothing, until it is granted', async () => {
    const probe = new LagProbe(null);
    const asNobody = await connect(replica, 'nobody');
    expect(await probe.measure(asNobody)).toBeNull();
    // For all statuses there are: each flavour has its own word.
    const granted = flavor === 'mysql' ? 'REPLICATION CLIENT' : 'REPLICA MONITOR';
    await primary.query(`GRANT ${granted} ON *.* TO nobody@'%'`);
    await cluster.waitUntilReplicated();
    const again = await connect(replica, 'nobody');
    expect(await probe.measure(again)).toBeNull();
    probe.reset();
    await becomes(() => probe.measure(again)).toBe(0);
  });

  describe('by heartbeats', () => {
    const beat = async (table: string, secondsAgo: number) => {
      await primary.query("SET time_zone = '+00:00'");
      // With the T of pt-heartbeat, which a text keeps.
      await primary.query(
        `REPLACE INTO ${database}.${table}
         SELECT REPLACE(UTC_TIMESTAMP(6) - INTERVAL ${secondsAgo} SECOND, ' ', 'T'), 1`,
      );
      await cluster.waitUntilReplicated();
    };

    it.each([
      { type: 'VARCHAR(26)', timezone: '+05:30' },
      { type: 'DATETIME(6)', timezone: '-08:00' },
      { type: 'TIMESTAMP(6)', timezone: '+05:30' },
    ])(
      'is their age, in a $type, whatever the time zone of the session',
      async ({ type, timezone }) => {
        const name = `heartbeat_${type.slice(0, 3)}`;
        const probe = new LagProbe(`${database}.${name}`);
        const asking = await connect(replica, 'probe', timezone);
        expect(await probe.measure(asking)).toBeNull();
        await primary.query(
          `CREATE TABLE ${database}.${name} (ts ${type}, server_id INT UNSIGNED PRIMARY KEY)`,
        );
        await cluster.waitUntilReplicated();
        expect(await probe.measure(asking)).toBeNull();
        const sent = Date.now();
        await beat(name, 1000);
        const measured = await probe.measure(asking);
        expect(measured).toBeGreaterThanOrEqual(1_000_000);
        expect(measured).toBeLessThanOrEqual(1_000_000 + Date.now() - sent + 2);
        // The older row is that of a former primary.
        await primary.query(`UPDATE ${database}.${name} SET server_id = 2`);
        await beat(name, 5);
        expect(await probe.measure(asking)).toBeLessThan(1_000_000);
        await beat(name, -1000);
        expect(await probe.measure(asking)).toBeNull();
      },
    );

    it('is known while nothing is applied', async () => {
      const name = 'heartbeat_VAR';
      await primary.query(`DELETE FROM ${database}.${name}`);
      await beat(name, 10);
      await replica.stopApplying();
      await primary.query(`DELETE FROM ${database}.${name}`);
      const probe = new LagProbe(`${database}.${name}`);
      expect(await probe.measure(ask)).toBeGreaterThanOrEqual(10_000);
      await replica.startApplying();
    });
  });

  it('is not known without the primary', async () => {
    await cluster.waitUntilReplicated();
    await becomes(lag).toBe(0);
    await primary.kill();
    await becomes(lag).toBeNull();
  });
});
