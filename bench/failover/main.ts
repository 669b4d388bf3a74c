/**
 * How long writes rest when the primary becomes another one: the time that the servers take for it, and how
 * much longer until the first write is acknowledged by the new one; and what was lost. Real servers, one
 * process, six clients.
 *
 * `npm run bench:failover` (`-- --rounds 5`)
 */
import { parseArgs } from 'node:util';
import {
  asynchronous,
  type Failover,
  failOver,
  group,
  type Stage,
} from '../../test/failover/stages.ts';
import { whyNoGroup } from '../../test/support/servers/start-group.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const rounds = Number(values.rounds);

const stages: readonly (readonly [string, () => Promise<Stage>])[] = [
  ['MySQL, readOnly', () => asynchronous('mysql')],
  ['MariaDB, readOnly', () => asynchronous('mariadb')],
  ...((await whyNoGroup()) === undefined ? [['MySQL, groupReplication', group] as const] : []),
];

console.log(
  'servers'.padEnd(26) +
    'primary'.padEnd(9) +
    'election ms'.padStart(12) +
    'beyond ms'.padStart(11) +
    'written'.padStart(9) +
    'lost'.padStart(6) +
    'doubled'.padStart(9) +
    'unknown'.padStart(9) +
    'failed'.padStart(8) +
    'failed reads'.padStart(14),
);
for (const [name, start] of stages) {
  for (const how of ['move', 'fail'] as const) {
    const failovers: Failover[] = [];
    for (let round = 0; round < rounds; round++) {
      const stage = await start();
      failovers.push(await failOver(stage, how));
      await stage.stop();
    }
    console.log(line(name, how, failovers));
  }
}

function line(name: string, how: 'move' | 'fail', failovers: readonly Failover[]): string {
  const sum = (count: (failover: Failover) => number) =>
    String(failovers.reduce((total, failover) => total + count(failover), 0));
  const lost = ({ there, acknowledged }: Failover) => {
    const found = new Set(there);
    return acknowledged.filter((id) => !found.has(id)).length;
  };
  return (
    name.padEnd(26) +
    (how === 'move' ? 'moved' : 'killed').padEnd(9) +
    median(failovers.map(({ election }) => election)).padStart(12) +
    median(failovers.map(({ beyond }) => beyond)).padStart(11) +
    sum(({ acknowledged }) => acknowledged.length).padStart(9) +
    sum(lost).padStart(6) +
    sum(({ there }) => there.length - new Set(there).size).padStart(9) +
    sum(({ unknown }) => unknown.length).padStart(9) +
    sum(({ failed }) => failed.length).padStart(8) +
    sum(({ failedReads }) => failedReads.length).padStart(14)
  );
}

function median(figures: readonly number[]): string {
  const sorted = [...figures].sort((one, other) => one - other);
  return String(Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0));
}
