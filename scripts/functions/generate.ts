/**
 * Writes the tables of built-in functions from running servers:
 *
 *     npx tsx scripts/functions/generate.ts
 *
 * Which servers: see `findServer`. It takes about two minutes and fails when a server has a
 * function that nobody has judged.
 */
import { writeFile } from 'node:fs/promises';
import { admin } from '../../test/support/servers/accounts.ts';
import { findServer } from '../../test/support/servers/find.ts';
import type { Flavor } from '../../test/support/servers/flavor.ts';
import { startCluster } from '../../test/support/servers/start-cluster.ts';
import { binaryNames, listedNames } from './candidates.ts';
import { thoroughEffort } from './hijack.ts';
import { judgedNames } from './judge.ts';
import { closeSessionPair, findImpurities, openSessionPair } from './purity.ts';
import { render } from './render.ts';
import { type Account, closeServer, openServer } from './server.ts';
import { problems, type Survey, surveyServer, toTable } from './survey.ts';

const output = new URL('../../packages/core/src/statement/functions/', import.meta.url);

async function survey(account: Account, binary: string): Promise<Survey> {
  const server = await openServer(account);
  const candidates = new Set([
    ...judgedNames,
    ...(await listedNames(server.connections[0])),
    ...(await binaryNames(binary, true)),
  ]);
  const found = await surveyServer(server, candidates, thoroughEffort(server));
  await closeServer(server);
  return found;
}

async function impurities(account: Account, { tails }: Survey): Promise<string[]> {
  const pair = await openSessionPair(account);
  const found = await findImpurities(pair, tails);
  await closeSessionPair(pair);
  return [...found].map(([name, why]) => `${name}: judged pure, but ${why}`);
}

async function generate(flavor: Flavor): Promise<void> {
  const { command, prefix } = await findServer(flavor);
  await using cluster = await startCluster({ flavor, replicas: 0, statementLog: false });
  const { host, port } = cluster.primary;
  const account = { host, port, ...admin };
  // A bundled server is an argument of its own loader.
  const found = await survey(account, prefix.at(-1) ?? command);
  const complaints = [...problems(found), ...(await impurities(account, found))];
  if (complaints.length > 0) throw new Error(`${flavor}:\n${complaints.join('\n')}`);
  const shadowed = [...found.hijacks.keys()].filter(
    (name) => found.hijacks.get(name) === 'always' && !found.safeCounts.has(name),
  );
  console.log(`${flavor} ${found.version}: ${found.hijacks.size - shadowed.length} pure functions`);
  if (shadowed.length > 0) console.log(`stored functions can shadow: ${shadowed.sort().join(' ')}`);
  await writeFile(new URL(`${flavor}.ts`, output), render(toTable(found)));
}

await generate('mysql');
await generate('mariadb');
