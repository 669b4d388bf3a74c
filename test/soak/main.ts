/**
 * Random faults on real servers, with all that pools can do about them; then looks for what is lost,
 * doubled, or left over:
 *
 *     npm run test:soak -- [--flavor mysql|mariadb] [--minutes n] [--seed n] [--clients n]
 *
 * Exit code 1 if anything is wrong, also if something keeps this process alive at the end.
 */
import { parseArgs } from 'node:util';
import { type Flavor, flavors } from '../support/servers/flavor.ts';
import { startCluster } from '../support/servers/start-cluster.ts';
import { Incidents } from './incidents.ts';
import { problemsOf } from './judge.ts';
import { report } from './report.ts';
import { soak } from './run.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    clients: { type: 'string', default: '16' },
  },
});

/** How long a process may live on when all is done, in milliseconds. */
const exitLimit = 5000;

const chosen = flavors.filter((flavor) => values.flavor === undefined || values.flavor === flavor);
if (chosen.length === 0) throw new Error(`--flavor is one of ${flavors.join(', ')}`);

// A wait that nothing ends any more would end the process without a word.
const alive = setInterval(() => {}, 60_000);
const incidents = new Incidents();
for (const flavor of chosen) {
  await runOn(flavor).catch((error: unknown) => {
    complain(error instanceof Error ? `${error.stack}` : String(error));
  });
}
incidents.end();
clearInterval(alive);
for (const problem of incidents.problems) complain(problem);
console.log(`warnings: ${JSON.stringify(incidents.warnings)}`);

// Alone, it keeps nobody alive.
setTimeout(() => {
  complain(`still alive: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit();
}, exitLimit).unref();

async function runOn(flavor: Flavor): Promise<void> {
  const seed = Number(values.seed);
  console.log(`${flavor}, seed ${seed}, ${values.minutes} minutes`);
  await using cluster = await startCluster({ flavor, statementLog: false });
  const outcome = await soak({
    cluster,
    seed,
    duration: Number(values.minutes) * 60_000,
    clients: Number(values.clients),
  });
  console.log(report(outcome));
  for (const problem of problemsOf(outcome)) complain(problem);
}

function complain(problem: string): void {
  process.exitCode = 1;
  console.log(`WRONG: ${problem}`);
}
