import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Connection, createConnection } from 'mysql2/promise';
import { binaryNames, listedNames } from './candidates.ts';
import { judgedImpure, judgedPure } from './judge.ts';
import { render } from './render.ts';
import {
  findFunctions,
  findHijacks,
  findTails,
  type Server,
  type Survey,
  serverVersion,
  toTable,
  unjudged,
} from './survey.ts';

const output = new URL('../../packages/core/src/statement/functions/', import.meta.url);

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    binary: { type: 'string' },
    user: { type: 'string', default: 'root' },
    password: { type: 'string', default: '' },
  },
});

async function connect(): Promise<Connection> {
  return createConnection({
    host: '127.0.0.1',
    port: Number(values.port),
    user: values.user,
    password: values.password,
    flags: ['-IGNORE_SPACE'],
  });
}

async function survey(server: Server): Promise<Survey> {
  const [connection] = server.connections;
  const { dialect, version } = await serverVersion(connection);
  const candidates = new Set([
    ...(await listedNames(connection)),
    ...(values.binary === undefined ? [] : await binaryNames(values.binary, true)),
    ...judgedPure,
    ...judgedImpure.keys(),
  ]);
  console.log(`${dialect} ${version}: ${candidates.size} candidates`);
  const known = await findFunctions(server, candidates);
  const tails = await findTails(
    server,
    [...known.keys()].filter((name) => judgedPure.has(name)),
  );
  const hijacks = await findHijacks(server, dialect, tails);
  return { dialect, version, known, tails, hijacks };
}

async function main(): Promise<void> {
  const server: Server = { connections: [await connect(), await connect()] };
  const found = await survey(server);
  const missing = unjudged(found.known);
  if (missing.length > 0) throw new Error(`built-in, but neither pure nor impure: ${missing}`);
  const table = toTable(found);
  const uncalled = [...found.known.keys()].filter(
    (name) => judgedPure.has(name) && !found.tails.has(name),
  );
  const shadowed = [...found.hijacks].filter(([, how]) => how === 'always').map(([name]) => name);
  console.log('keywords that are no function here:', uncalled.join(' '));
  console.log('shadowed by a stored function:', shadowed.join(' '));
  await writeFile(new URL(`${found.dialect}.ts`, output), render(table));
  for (const connection of server.connections) await connection.end();
}

await main();
