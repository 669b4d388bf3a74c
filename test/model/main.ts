/**
 * Compares sessions over pools with plain connections, on real servers:
 *
 *     npm run test:model -- [--flavor mysql|mariadb] [--statements n] [--seed n] [--path p] [--kinds a,b]
 *
 * Exit code 1 if one differs; the plan is shrunk first.
 */
import { parseArgs } from 'node:util';
import * as core from '@rwsplit/core';
import { attachCluster } from '../support/servers/cluster.ts';
import { type Flavor, flavors } from '../support/servers/flavor.ts';
import { startCluster } from '../support/servers/start-cluster.ts';
import { check } from './check.ts';
import { type Kind, kinds } from './plan.ts';
import { Stage } from './stage.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string' },
    statements: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    path: { type: 'string' },
    kinds: { type: 'string', default: kinds.join(',') },
  },
});

const chosen = flavors.filter((flavor) => values.flavor === undefined || values.flavor === flavor);
if (chosen.length === 0) throw new Error(`--flavor is one of ${flavors.join(', ')}`);
const allowed = kinds.filter((kind) => values.kinds.split(',').includes(kind));
if (allowed.length === 0) throw new Error(`--kinds are some of ${kinds.join(', ')}`);

for (const flavor of chosen) await run(flavor, allowed);

async function run(flavor: Flavor, allowed: readonly Kind[]): Promise<void> {
  await using cluster = await startCluster({ flavor, statementLog: false });
  await using stage = await Stage.open(cluster, attachCluster(cluster.info));
  const start = performance.now();
  try {
    const tally = await check({
      stage,
      core,
      kinds: allowed,
      seed: Number(values.seed),
      statements: Number(values.statements),
      ...(values.path === undefined ? {} : { path: values.path }),
    });
    console.log(`${flavor}, seed ${values.seed}, ${seconds(start)} s: ${tally}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`${flavor}, seed ${values.seed}, ${seconds(start)} s:`, error);
  }
}

function seconds(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}
