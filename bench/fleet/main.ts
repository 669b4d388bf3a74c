/**
 * What a fleet of processes does to its replicas, with and without `subset`: connections, how evenly they
 * spread, what happens when replicas die or come. A simulation with rwsplit's own choice of subsets;
 * the same numbers in every run.
 *
 * `npm run bench:fleet -- [--processes 1000] [--replicas 20] [--connectionLimit 10] [--minIdle 1]
 * [--subsets 2,3,5,20] [--compare 3] [--seed 1]`
 */
import { parseArgs } from 'node:util';
import { fleetDefaults, fleetReport } from './report.ts';

const number = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    processes: number,
    replicas: number,
    connectionLimit: number,
    minIdle: number,
    subsets: number,
    compare: number,
    seed: number,
  },
});
const { subsets, ...numbers } = values;

process.stdout.write(
  fleetReport({
    ...fleetDefaults,
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])),
    ...(subsets === undefined ? {} : { subsets: subsets.split(',').map(Number) }),
  }),
);
