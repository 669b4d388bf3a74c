import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type Bundle, fetchBundle } from './bundle.ts';
import { type Flavor, isUsable, oldestUsable, parseVersion } from './flavor.ts';
import { run } from './run.ts';

/** A server program that can be started: `command ...prefix --no-defaults ...installation …`. */
export interface ServerProgram {
  readonly flavor: Flavor;
  readonly version: string;
  readonly command: string;
  /** Arguments in front of the server's own: the loader's, when the server is a bundle. */
  readonly prefix: readonly string[];
  /** Server arguments that say where its own files are. */
  readonly installation: readonly string[];
}

const variables: Readonly<Record<Flavor, string>> = {
  mysql: 'RWSPLIT_MYSQLD',
  mariadb: 'RWSPLIT_MARIADBD',
};

/**
 * Finds a server: the path in `RWSPLIT_MYSQLD` or `RWSPLIT_MARIADBD`, else one on the PATH that is
 * of the flavour and new enough, else (Debian and Ubuntu) one downloaded into the user's cache.
 *
 * @throws Error that says what to install or set, when there is none
 */
export async function findServer(flavor: Flavor): Promise<ServerProgram> {
  const chosen = process.env[variables[flavor]];
  if (chosen) {
    const program = await inspect(flavor, chosen);
    if (program !== undefined) return program;
    throw new Error(
      `${variables[flavor]} must name a server program of ${oldestUsable(flavor)} or newer`,
    );
  }
  for (const path of onPath(['mysqld', 'mariadbd'])) {
    const program = await inspect(flavor, path);
    if (program !== undefined) return program;
  }
  const bundle = await fetchBundle(flavor).catch((cause: unknown) => {
    throw new Error(howToGet(flavor), { cause });
  });
  const program = bundle && (await inspectBundle(flavor, bundle));
  if (program === undefined) throw new Error(howToGet(flavor));
  return program;
}

function onPath(names: readonly string[]): string[] {
  const { PATH } = process.env;
  // Debian keeps servers in sbin, which is not on every user's PATH.
  const folders = [...(PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin'];
  return [...new Set(folders)]
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .filter((path) => existsSync(path));
}

async function inspect(flavor: Flavor, path: string): Promise<ServerProgram | undefined> {
  const found = parseVersion(await run(path, ['--version']).catch(() => ''));
  if (found === undefined || !isUsable(found, flavor)) return undefined;
  return { ...found, command: path, prefix: [], installation: [] };
}

async function inspectBundle(flavor: Flavor, bundle: Bundle): Promise<ServerProgram | undefined> {
  const prefix = ['--library-path', bundle.libraryPath, bundle.server];
  const found = parseVersion(await run(bundle.loader, [...prefix, '--version']));
  if (found === undefined || !isUsable(found, flavor)) return undefined;
  const installation = [
    `--basedir=${bundle.base}`,
    `--lc-messages-dir=${bundle.base}/share/mysql`,
    `--character-sets-dir=${bundle.base}/share/mysql/charsets`,
    `--plugin-dir=${bundle.base}/lib/mysql/plugin`,
  ];
  return { ...found, command: bundle.loader, prefix, installation };
}

/** The server's own list of its variables and their values. */
function verboseHelp({ command, prefix, installation }: ServerProgram): Promise<string> {
  return run(command, [...prefix, '--no-defaults', ...installation, '--verbose', '--help']);
}

/** Whether the server comes with a plugin, given as its file's name: `group_replication.so`. */
export async function hasPlugin(program: ServerProgram, file: string): Promise<boolean> {
  const folder = /^plugin-dir\s+(\S.*)$/m.exec(await verboseHelp(program))?.[1];
  return folder !== undefined && existsSync(join(folder, file));
}

/** Where the server keeps the SQL files of its system tables (MariaDB). */
export async function sharedFiles(program: ServerProgram): Promise<string> {
  const help = await verboseHelp(program);
  const base = /^basedir\s+(\S.*)$/m.exec(help)?.[1] ?? dirname(dirname(program.command));
  const messages = /^lc-messages-dir\s+(\S.*)$/m.exec(help)?.[1] ?? base;
  const folders = [
    messages,
    ...['share/mysql', 'share/mariadb', 'share'].map((f) => join(base, f)),
  ];
  const folder = folders.find((each) => existsSync(join(each, 'mysql_system_tables.sql')));
  if (folder === undefined) throw new Error(`no mysql_system_tables.sql below ${base}`);
  return folder;
}

function howToGet(flavor: Flavor): string {
  const set = `set ${variables[flavor]} to the path of its server program`;
  const formula = flavor === 'mysql' ? 'mysql' : 'mariadb';
  const ways: Partial<Record<NodeJS.Platform, string>> = {
    darwin: `run "brew install ${formula}", or ${set}`,
    linux:
      `install your distribution's ${formula} server package so that its program is on the PATH, ` +
      `or ${set} (Debian and Ubuntu: automatic, if apt has a source for the machine's own release)`,
    win32: 'run the tests inside WSL: the servers are stopped and hung with POSIX signals',
  };
  const way = ways[process.platform] ?? set;
  return `No server of ${oldestUsable(flavor)} or newer found: ${way}.`;
}
