import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AptSource,
  formatDeb822,
  ownSource,
  parseDeb822,
  parseOneLine,
} from './apt-sources.ts';
import { cached } from './cache-folder.ts';
import type { Flavor } from './flavor.ts';
import { run } from './run.ts';

/** A server unpacked from distribution packages, with its own C library: runs on any Linux. */
export interface Bundle {
  /** The bundle's dynamic loader; the server is its argument. */
  readonly loader: string;
  readonly libraryPath: string;
  readonly server: string;
  /** What `--basedir` would be if the packages were installed. */
  readonly base: string;
}

/** Where a distribution keeps a flavour. */
interface Origin {
  readonly distribution: string;
  readonly suite: string;
  readonly components: string;
  readonly source: AptSource;
}

/**
 * Downloads a server with apt into the user's cache, without root and without touching the
 * machine's own packages. `undefined` where there is no apt or no source to take a mirror from.
 */
export async function fetchBundle(flavor: Flavor): Promise<Bundle | undefined> {
  const origin = await findOrigin(flavor);
  if (origin === undefined) return undefined;
  const name = `${flavor}-${origin.distribution}-${origin.suite}-${process.arch}`;
  const root = await cached(name, (folder) => download(folder, flavor, origin));
  return openBundle(root, flavor);
}

async function findOrigin(flavor: Flavor): Promise<Origin | undefined> {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return undefined;
  const release = await readFile('/etc/os-release', 'utf8');
  const distribution = /^ID="?(debian|ubuntu)"?$/m.exec(release)?.[1];
  const codename = /^VERSION_CODENAME="?([\w-]+)"?$/m.exec(release)?.[1];
  if (distribution === undefined || codename === undefined) return undefined;
  const source = ownSource(await machineSources(), codename);
  if (source === undefined) return undefined;
  // MySQL lives in the moving suite only (Debian) or is new enough only there (Ubuntu).
  // Ubuntu keeps MariaDB in universe.
  return distribution === 'debian'
    ? { distribution, suite: flavor === 'mysql' ? 'sid' : 'bookworm', components: 'main', source }
    : {
        distribution,
        suite: flavor === 'mysql' ? 'devel' : codename,
        components: 'main universe',
        source,
      };
}

async function machineSources(): Promise<AptSource[]> {
  const parts = '/etc/apt/sources.list.d';
  const names = (await readdir(parts).catch(() => [])).sort().map((name) => join(parts, name));
  const sources: AptSource[] = [];
  for (const path of ['/etc/apt/sources.list', ...names]) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (path.endsWith('.sources')) sources.push(...parseDeb822(text));
    if (path.endsWith('.list')) sources.push(...parseOneLine(text));
  }
  return sources;
}

async function download(folder: string, flavor: Flavor, origin: Origin): Promise<void> {
  const apt = join(folder, 'apt');
  for (const each of ['lists/partial', 'archives/partial']) {
    await mkdir(join(apt, each), { recursive: true });
  }
  await writeFile(join(apt, 'status'), '');
  await writeFile(
    join(apt, 'private.sources'),
    formatDeb822(origin.source, origin.suite, origin.components),
  );
  const options = privateTree(apt);
  await run('apt-get', [...options, 'update']);
  const names = await run('apt-cache', [...options, 'pkgnames', `${flavor}-server-core`]);
  await run('apt-get', [
    ...options,
    'install',
    '--yes',
    '--download-only',
    newestPackage(names, `${flavor}-server-core`),
  ]);
  await unpack(join(apt, 'archives'), folder);
  await rm(apt, { recursive: true });
  const bundle = openBundle(folder, flavor);
  await run(bundle.loader, ['--library-path', bundle.libraryPath, bundle.server, '--version']);
}

/** apt options (apt.conf(5)) that keep keyrings, proxies and logins and move all other state here. */
function privateTree(folder: string): string[] {
  return [
    `Dir::Etc::sourcelist=${join(folder, 'private.sources')}`,
    'Dir::Etc::sourceparts=-',
    'Dir::Etc::preferences=-',
    'Dir::Etc::preferencesparts=-',
    `Dir::State=${folder}`,
    `Dir::State::status=${join(folder, 'status')}`,
    `Dir::Cache=${folder}`,
    // Snapshots and frozen mirrors keep files whose date has passed; signatures are still checked.
    'Acquire::Check-Valid-Until=false',
    'Acquire::Languages=none',
    'APT::Install-Recommends=false',
    // The user _apt cannot reach a private cache folder.
    'APT::Sandbox::User=root',
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
}

/** Some releases carry the version in the package's name (`mysql-server-core-8.4`). */
function newestPackage(pkgnames: string, plain: string): string {
  const names = pkgnames.split('\n').filter((name) => /^[a-z]+-server-core(-[\d.]+)?$/.test(name));
  const byVersion = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return names.includes(plain) ? plain : (byVersion.at(-1) ?? plain);
}

async function unpack(archives: string, root: string): Promise<void> {
  const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  // Perl is needed by the packages' scripts only, and is half of the bundle.
  for (const name of packages.filter((each) => !/^(lib)?perl/.test(each))) {
    await run('dpkg', ['-x', join(archives, name), root]);
  }
}

function openBundle(root: string, flavor: Flavor): Bundle {
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => multiarchFolders(join(root, folder)));
  const loader = libraries.flatMap(loadersIn)[0];
  if (loader === undefined) throw new Error(`no dynamic loader in the unpacked ${flavor} packages`);
  return {
    loader,
    libraryPath: [...libraries, join(root, 'usr/lib/mysql/private')].join(':'),
    server: join(root, 'usr/sbin', flavor === 'mysql' ? 'mysqld' : 'mariadbd'),
    base: join(root, 'usr'),
  };
}

function multiarchFolders(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => /-linux-gnu/.test(name))
    .map((name) => join(folder, name));
}

function loadersIn(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => /^ld-linux.*\.so\.\d+$/.test(name))
    .map((name) => join(folder, name));
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
