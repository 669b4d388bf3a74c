import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AptSource,
  formatDeb822,
  ownSource,
  parseDeb822,
  parseOneLine,
} from './apt-sources.ts';
import type { Flavor } from './flavor.ts';
import { run } from './run.ts';

/** Where a distribution keeps a flavour. */
export interface Origin {
  readonly distribution: string;
  readonly suite: string;
  readonly components: string;
  readonly source: AptSource;
}

/** Packages to take from an {@link Origin}. */
export interface PackageChoice {
  /** Start of the names that {@link choose} gets to see. */
  readonly prefix: string;
  /** Picks from the names that the origin has. */
  readonly choose: (names: readonly string[]) => readonly string[];
  /** Whether their dependencies are unpacked as well. */
  readonly dependencies: boolean;
}

/** `undefined` where there is no apt or no source to take a mirror from. */
export async function findOrigin(flavor: Flavor): Promise<Origin | undefined> {
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

/** Downloads packages with a private apt tree and unpacks them into `folder`, installing nothing. */
export async function unpackPackages(
  folder: string,
  origin: Origin,
  choice: PackageChoice,
): Promise<void> {
  const apt = join(folder, 'apt');
  const archives = join(apt, 'archives');
  for (const each of [join(apt, 'lists/partial'), join(archives, 'partial')]) {
    await mkdir(each, { recursive: true });
  }
  await writeFile(join(apt, 'status'), '');
  await writeFile(
    join(apt, 'private.sources'),
    formatDeb822(origin.source, origin.suite, origin.components),
  );
  const options = privateTree(apt);
  await run('apt-get', [...options, 'update']);
  const found = await run('apt-cache', [...options, 'pkgnames', choice.prefix]);
  const names = choice.choose(found.split('\n').filter((name) => name !== ''));
  const command = choice.dependencies ? ['install', '--yes', '--download-only'] : ['download'];
  await run('apt-get', [...options, ...command, ...names], { cwd: archives });
  await unpack(archives, folder);
  await rm(apt, { recursive: true });
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

async function unpack(archives: string, root: string): Promise<void> {
  const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  // Perl is needed by the packages' scripts only, and is half of the bundle.
  for (const name of packages.filter((each) => !/^(lib)?perl/.test(each))) {
    await run('dpkg', ['-x', join(archives, name), root]);
  }
}
