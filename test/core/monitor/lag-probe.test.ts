import { describe, expect, it } from 'vitest';
import { type Ask, LagProbe } from '../../../packages/core/src/monitor/lag-probe.ts';
import type { Row } from '../../../packages/core/src/topology/topology.ts';

type Answer = readonly Row[] | number;

const upToDate: Row = {
  Replica_IO_Running: 'Yes',
  Replica_SQL_Running: 'Yes',
  Seconds_Behind_Source: 0,
};
const behind = [{ ...upToDate, Seconds_Behind_Source: 2 }];
const searching = [{ ...upToDate, Replica_IO_Running: 'Connecting' }];

/** A MySQL server, by what it answers; a number is the code of a refusal. */
class Script {
  readonly asked: string[] = [];
  applied: Answer = 1142;
  status: Answer = [upToDate];

  readonly ask: Ask = async (sql) => {
    this.asked.push(sql.startsWith('SELECT') ? 'SELECT' : sql);
    const answer = sql.startsWith('SELECT')
      ? this.applied
      : sql === 'SHOW REPLICA STATUS'
        ? this.status
        : 1064;
    if (typeof answer === 'number') throw Object.assign(new Error('refused'), { errno: answer });
    return answer;
  };
}

describe('what is refused', () => {
  it('is not asked for again on the same connection', async () => {
    const server = new Script();
    const probe = new LagProbe(null);
    expect([await probe.measure(server.ask), await probe.measure(server.ask)]).toEqual([0, 0]);
    expect(server.asked).toEqual([
      'SELECT',
      'SHOW ALL REPLICAS STATUS',
      'SHOW REPLICA STATUS',
      'SHOW REPLICA STATUS',
    ]);
  });

  it('is asked for again on the next one', async () => {
    const server = new Script();
    const probe = new LagProbe(null);
    server.status = 1227;
    expect(await probe.measure(server.ask)).toBeNull();
    server.asked.length = 0;
    server.status = behind;
    expect(await probe.measure(server.ask)).toBeNull();
    expect(server.asked).toEqual([]);
    probe.reset();
    expect(await probe.measure(server.ask)).toBe(2000);
  });

  it.each([1044, 1049, 1054, 1064, 1142, 1143, 1146, 1193, 1227, 1305, 1370, 1682, 1683])(
    'has the code %i',
    async (code) => {
      const server = new Script();
      server.applied = code;
      expect(await new LagProbe(null).measure(server.ask)).toBe(0);
    },
  );

  it.each([1205, 1053, 3024, 0])(
    'has not the code %i: that may be over the next time',
    async (code) => {
      const server = new Script();
      server.applied = code;
      const probe = new LagProbe(null);
      await expect(probe.measure(server.ask)).rejects.toMatchObject({ errno: code });
      server.applied = [];
      expect(await probe.measure(server.ask)).toBeNull();
    },
  );
});

describe('a replica that calls itself up to date', () => {
  it('is believed at once by a process that starts', async () => {
    const probe = new LagProbe(null);
    probe.reset();
    expect(await probe.measure(new Script().ask)).toBe(0);
  });

  it('is believed the second time after it has found its primary again', async () => {
    const server = new Script();
    const probe = new LagProbe(null);
    server.status = searching;
    expect(await probe.measure(server.ask)).toBeNull();
    server.status = [upToDate];
    expect(await probe.measure(server.ask)).toBeNull();
    expect(await probe.measure(server.ask)).toBe(0);
    expect(await probe.measure(server.ask)).toBe(0);
  });

  it('is believed the second time after its connection was lost: it may have been restarted', async () => {
    const server = new Script();
    const probe = new LagProbe(null);
    await probe.measure(server.ask);
    probe.reset();
    expect(await probe.measure(server.ask)).toBeNull();
    expect(await probe.measure(server.ask)).toBe(0);
  });

  it('is believed at once when it says that it is behind: it has received something', async () => {
    const server = new Script();
    const probe = new LagProbe(null);
    server.status = searching;
    await probe.measure(server.ask);
    server.status = behind;
    expect(await probe.measure(server.ask)).toBe(2000);
    server.status = [upToDate];
    expect(await probe.measure(server.ask)).toBe(0);
  });
});

describe('rows between two states', () => {
  const row = { channel: '', state: 'ON', latest: '', current: '', delay: null, gtidMode: 'ON' };
  const unclear = [
    { ...row, part: 'thread', missing: '' },
    { ...row, part: 'applier', missing: '' },
    { ...row, part: 'connection', missing: 'b0894b10-e592-11f1-a896-02fc00000001:3-4' },
  ];

  it('are read again, and no longer than three times', async () => {
    const server = new Script();
    server.applied = unclear;
    expect(await new LagProbe(null).measure(server.ask)).toBeNull();
    expect(server.asked).toEqual(['SELECT', 'SELECT', 'SELECT']);
  });

  it('are over when the next are clear', async () => {
    const server = new Script();
    server.applied = unclear;
    const clear = unclear.map((one) => ({ ...one, missing: '' }));
    const lag = await new LagProbe(null).measure(async (sql) => {
      const rows = await server.ask(sql);
      server.applied = clear;
      return rows;
    });
    expect(lag).toBe(0);
  });

  it('that this source cannot judge are left to the next one', async () => {
    const server = new Script();
    server.applied = unclear.map((one) => ({ ...one, gtidMode: 'OFF' }));
    server.status = behind;
    expect(await new LagProbe(null).measure(server.ask)).toBe(2000);
  });
});
