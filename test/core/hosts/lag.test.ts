import { describe, expect, it } from 'vitest';
import { appliedLag, heartbeatLag, statusLag } from '../../../packages/core/src/hosts/lag.ts';
import type { Row } from '../../../packages/core/src/topology/topology.ts';

const uuid = 'b0894b10-e592-11f1-a896-02fc00000001';

/** What MySQL 9.7 answers for a thread, an applier or a connection at rest; recorded. */
const row = {
  part: 'thread',
  channel: '',
  state: 'ON',
  latest: '',
  latestCommitted: '0.000000',
  current: '',
  currentCommitted: '0.000000',
  missing: '',
  delay: null,
  now: '1795255364.729900',
  gtidMode: 'ON',
};
const applier = { ...row, part: 'applier' };
/** Its last transaction is on the replica. */
const connection = {
  ...row,
  part: 'connection',
  latest: `${uuid}:4`,
  latestCommitted: '1795255363.424041',
};
const inHand = { ...row, current: `${uuid}:3`, currentCommitted: '1795255363.423196' };
const lacking = { ...connection, missing: `${uuid}:3-4` };

function second(rows: readonly Row[]): Row[] {
  return rows.map((one) => ({ ...one, channel: 'second' }));
}

const stopped = second([row, applier, connection].map((one) => ({ ...one, state: 'OFF' })));

const applied: readonly {
  readonly why: string;
  readonly rows: readonly Row[];
  readonly lag: ReturnType<typeof appliedLag>;
}[] = [
  {
    why: 'all that was received is here, however long ago that was',
    rows: [row, row, applier, connection],
    lag: 0,
  },
  {
    why: 'a replica that has received nothing since it started has nothing to apply',
    rows: [row, applier, { ...connection, latest: '', latestCommitted: '0.000000' }],
    lag: 0,
  },
  {
    why: 'the oldest that is in hand counts, not the newest',
    rows: [
      { ...inHand, current: `${uuid}:4`, currentCommitted: '1795255363.424041' },
      inHand,
      applier,
      lacking,
    ],
    lag: 1307,
  },
  {
    why: 'what the coordinator has given away is in hand, before a worker begins it',
    rows: [
      {
        ...row,
        latest: `${uuid}:4`,
        latestCommitted: '1795255363.424041',
        missing: `${uuid}:4`,
      },
      row,
      applier,
      lacking,
    ],
    lag: 1306,
  },
  {
    why: 'what is still being received has been committed on the primary',
    rows: [
      row,
      applier,
      { ...connection, current: `${uuid}:5`, currentCommitted: '1795255364.229900' },
    ],
    lag: 500,
  },
  {
    why: 'a transaction that only the connection knows of is the only one that is missing',
    rows: [row, applier, { ...connection, missing: `${uuid}:4` }],
    lag: 1306,
  },
  {
    why: 'several are missing, and no thread says which is the oldest: the next rows will',
    rows: [row, row, applier, lacking],
    lag: 'again',
  },
  {
    why: 'while it waits for its delay, no thread has anything in hand: it is late by the delay',
    rows: [row, { ...applier, delay: 30 }, lacking],
    lag: 30_000,
  },
  {
    why: 'a delayed replica that is even later has something in hand',
    rows: [inHand, { ...applier, delay: 1 }, lacking],
    lag: 1307,
  },
  {
    why: 'a clock behind that of the primary makes no negative lag',
    rows: [{ ...inHand, currentCommitted: '1795255364.999999' }, applier, lacking],
    lag: 0,
  },
  {
    why: 'a primary before MySQL 8.0 sends no time of the commit',
    rows: [{ ...inHand, currentCommitted: '0.000000' }, applier, lacking],
    lag: null,
  },
  {
    why: 'a stopped applier has applied all it knows of, and will not apply the next',
    rows: [row, { ...applier, state: 'OFF' }, connection],
    lag: null,
  },
  {
    why: 'a stopped receiver does not know what there is',
    rows: [row, applier, { ...connection, state: 'OFF' }],
    lag: null,
  },
  {
    why: 'nor does one that is looking for its primary, whatever is left to apply',
    rows: [inHand, applier, { ...lacking, state: 'CONNECTING' }],
    lag: null,
  },
  { why: 'an applier without a connection knows nothing', rows: [row, applier], lag: null },
  { why: 'no channel: no replica', rows: [], lag: null },
  {
    why: 'of two channels the worst counts',
    rows: [row, applier, connection, ...second([inHand, applier, lacking])],
    lag: 1307,
  },
  {
    why: 'of two channels one is stopped',
    rows: [row, applier, connection, ...stopped],
    lag: null,
  },
  {
    why: 'a stopped channel is not made known by asking again',
    rows: [row, applier, lacking, ...stopped],
    lag: null,
  },
  {
    why: 'one of two channels has to be asked again',
    rows: [row, applier, connection, ...second([row, applier, lacking])],
    lag: 'again',
  },
  {
    why: "the channel that members of a group join through is off once they're in",
    rows: [
      ...[row, applier, connection].map((one) => ({
        ...one,
        channel: 'group_replication_applier',
      })),
      ...stopped.map((one) => ({ ...one, channel: 'group_replication_recovery' })),
    ],
    lag: 0,
  },
  {
    why: 'a group that only has that one is none',
    rows: stopped.map((one) => ({ ...one, channel: 'group_replication_recovery' })),
    lag: null,
  },
  {
    why: 'without GTIDs nothing is missing, and nothing is known',
    rows: [row, applier, connection].map((one) => ({ ...one, gtidMode: 'OFF' })),
    lag: 'elsewhere',
  },
  {
    why: 'a channel that gives GTIDs to anonymous transactions',
    rows: [row, applier, { ...connection, latest: 'ANONYMOUS' }],
    lag: 'elsewhere',
  },
];

describe('appliedLag', () => {
  it.each(applied)('$lag: $why', ({ rows, lag }) => {
    expect(appliedLag(rows)).toBe(lag);
  });
});

const mysql = {
  Channel_Name: '',
  Replica_IO_Running: 'Yes',
  Replica_SQL_Running: 'Yes',
  Seconds_Behind_Source: 0,
  SQL_Delay: 0,
  SQL_Remaining_Delay: null,
};
const mariadb = {
  Connection_name: '',
  Slave_IO_Running: 'Yes',
  Slave_SQL_Running: 'Yes',
  Seconds_Behind_Master: 0,
  SQL_Delay: 0,
  SQL_Remaining_Delay: null,
};

const statuses: readonly {
  readonly why: string;
  readonly rows: readonly Row[];
  readonly lag: number | null;
}[] = [
  { why: 'MySQL, up to date', rows: [mysql], lag: 0 },
  { why: 'MariaDB, up to date', rows: [mariadb], lag: 0 },
  { why: 'MySQL, behind', rows: [{ ...mysql, Seconds_Behind_Source: 2 }], lag: 2000 },
  { why: 'MariaDB, behind', rows: [{ ...mariadb, Seconds_Behind_Master: 2 }], lag: 2000 },
  {
    why: 'numbers as text, as supportBigNumbers and bigNumberStrings make them',
    rows: [{ ...mysql, Seconds_Behind_Source: '2' }],
    lag: 2000,
  },
  {
    why: 'MySQL, primary killed: seconds until all is applied, of what is there',
    rows: [{ ...mysql, Replica_IO_Running: 'Connecting', Seconds_Behind_Source: 4 }],
    lag: null,
  },
  {
    why: 'MariaDB, primary killed',
    rows: [{ ...mariadb, Slave_IO_Running: 'Connecting', Seconds_Behind_Master: null }],
    lag: null,
  },
  {
    why: 'MariaDB, just started',
    rows: [{ ...mariadb, Slave_IO_Running: 'Preparing', Seconds_Behind_Master: null }],
    lag: null,
  },
  {
    why: 'applier stopped',
    rows: [{ ...mysql, Replica_SQL_Running: 'No', Seconds_Behind_Source: null }],
    lag: null,
  },
  {
    why: 'applier stopped, whatever the seconds say',
    rows: [{ ...mysql, Replica_SQL_Running: 'No', Seconds_Behind_Source: 1 }],
    lag: null,
  },
  {
    why: 'both run, and it is not known',
    rows: [{ ...mysql, Seconds_Behind_Source: null }],
    lag: null,
  },
  {
    why: 'waiting for its delay: the seconds go from 0 to 3, over and over',
    rows: [{ ...mariadb, Seconds_Behind_Master: 1, SQL_Delay: 3, SQL_Remaining_Delay: 2 }],
    lag: 3000,
  },
  {
    why: 'waiting for its delay, and later than that',
    rows: [{ ...mariadb, Seconds_Behind_Master: 5, SQL_Delay: 3, SQL_Remaining_Delay: 1 }],
    lag: 5000,
  },
  { why: 'delayed, with nothing to apply', rows: [{ ...mariadb, SQL_Delay: 3 }], lag: 0 },
  {
    why: 'of two channels the worst counts',
    rows: [mysql, { ...mysql, Seconds_Behind_Source: 7 }],
    lag: 7000,
  },
  {
    why: 'one of two channels is not known',
    rows: [
      { ...mysql, Seconds_Behind_Source: 7 },
      { ...mysql, Seconds_Behind_Source: null },
    ],
    lag: null,
  },
  { why: 'no replica', rows: [], lag: null },
  { why: 'an answer that is none', rows: [{ Variable_name: 'x' }], lag: null },
];

describe('statusLag', () => {
  it.each(statuses)('$lag: $why', ({ rows, lag }) => {
    expect(statusLag(rows)).toBe(lag);
  });
});

describe('heartbeatLag', () => {
  it.each([
    { why: 'microseconds, as MariaDB returns them', age: 5_001_400, lag: 5001 },
    { why: 'a decimal, as MySQL returns them', age: '5001400.000000', lag: 5001 },
    { why: 'clocks differ a little', age: -400_000, lag: 0 },
    { why: 'clocks, or time zones, cannot be compared', age: -7_199_000_000, lag: null },
    { why: 'an empty table, or no time at all', age: null, lag: null },
  ])('$lag: $why', ({ age, lag }) => {
    expect(heartbeatLag([{ age }])).toBe(lag);
  });

  it('null: no row', () => {
    expect(heartbeatLag([])).toBeNull();
  });
});
