import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accountStatements, appDatabase } from './accounts.ts';
import { AdminConnection } from './admin-connection.ts';
import { cached } from './cache-folder.ts';
import { type ServerProgram, sharedFiles } from './find.ts';
import { freePorts } from './ports.ts';
import { run } from './run.ts';
import { ServerProcess } from './server-process.ts';
import { commonSettings, dataFolder, type ServerPlace } from './settings.ts';
import { Watchdog } from './watchdog.ts';

/** Scripts of mariadb-install-db, in its order. */
const mariadbScripts = [
  'mysql_system_tables.sql',
  'mysql_performance_tables.sql',
  'mysql_system_tables_data.sql',
  'maria_add_gis_sp_bootstrap.sql',
  'mysql_sys_schema.sql',
];

/**
 * Puts a data directory into a server's folder: accounts, the application's database, no history.
 * It is made once per server version and copied from the user's cache afterwards.
 */
export async function copyTemplate(program: ServerProgram, folder: string): Promise<void> {
  const statements = accountStatements(program.flavor);
  const place = { folder: '.', port: 0 };
  const recipe = JSON.stringify([statements, commonSettings(program.flavor, place)]);
  const key = createHash('sha256').update(recipe).digest('hex').slice(0, 8);
  const name = `${program.flavor}-${program.version}-${process.arch}-data-${key}`;
  const template = await cached(name, (target) => makeTemplate(program, statements, target));
  await cp(template, dataFolder(folder), { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function makeTemplate(
  program: ServerProgram,
  statements: readonly string[],
  target: string,
): Promise<void> {
  const [port = 0] = await freePorts(1);
  const place = { folder: target, port };
  const watchdog = new Watchdog(target);
  try {
    if (program.flavor === 'mysql') await initializeMysql(program, place);
    else await initializeMariadb(program, place);
    await createAccounts(program, place, statements, watchdog.pids);
  } finally {
    watchdog.dismiss();
  }
  // Two servers with one UUID cannot replicate; a server without this file picks one.
  await rm(join(dataFolder(target), 'auto.cnf'), { force: true });
  await keepDataOnly(target);
}

async function initializeMysql(program: ServerProgram, place: ServerPlace): Promise<void> {
  await run(program.command, [
    ...program.prefix,
    '--no-defaults',
    ...program.installation,
    '--initialize-insecure',
    ...commonSettings('mysql', place),
  ]);
}

// Not mariadb-install-db: that script starts the server without the bundle's loader.
async function initializeMariadb(program: ServerProgram, place: ServerPlace): Promise<void> {
  const folder = await sharedFiles(program);
  const scripts = await Promise.all(
    mariadbScripts.map((name) => readFile(join(folder, name), 'utf8')),
  );
  await mkdir(dataFolder(place.folder));
  const args = ['--no-defaults', '--bootstrap', ...program.installation];
  const input = ['CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n', ...scripts];
  await run(
    program.command,
    [...program.prefix, ...args, ...commonSettings('mariadb', place), '--net-buffer-length=16K'],
    { input: input.join('\n') },
  );
}

/** Starts the server once: that also makes its keys and certificates, which takes a while. */
async function createAccounts(
  program: ServerProgram,
  place: ServerPlace,
  statements: readonly string[],
  pids: string,
): Promise<void> {
  const initFile = join(place.folder, 'init.sql');
  await writeFile(initFile, statements.map((statement) => `${statement};\n`).join(''));
  const settings = commonSettings(program.flavor, place);
  const server = new ServerProcess({
    program,
    args: () => [...settings, '--skip-log-bin', `--init-file=${initFile}`],
    folder: place.folder,
    pids,
  });
  const connection = new AdminConnection('127.0.0.1', place.port);
  try {
    await server.start(connection);
    // A failed line only ends up in the error log: ask for the last one's effect.
    const [database] = await connection.query('SHOW DATABASES LIKE ?', [appDatabase]);
    if (database === undefined) throw new Error('the accounts could not be created');
    connection.close();
  } finally {
    await server.shutdown();
  }
}

/** Replaces the folder's content by what is in its data directory. */
async function keepDataOnly(folder: string): Promise<void> {
  const data = `${folder}-data`;
  await rename(dataFolder(folder), data);
  await rm(folder, { recursive: true });
  await rename(data, folder);
}
