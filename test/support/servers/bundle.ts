import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findOrigin, type Origin, unpackPackages } from './apt-packages.ts';
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

async function download(folder: string, flavor: Flavor, origin: Origin): Promise<void> {
  const prefix = `${flavor}-server-core`;
  await unpackPackages(folder, origin, {
    prefix,
    choose: (names) => [newestPackage(names, prefix)],
    dependencies: true,
  });
  const bundle = openBundle(folder, flavor);
  await run(bundle.loader, ['--library-path', bundle.libraryPath, bundle.server, '--version']);
}

/** Some releases carry the version in the package's name (`mysql-server-core-8.4`). */
function newestPackage(pkgnames: readonly string[], plain: string): string {
  const names = pkgnames.filter((name) => /^[a-z]+-server-core(-[\d.]+)?$/.test(name));
  const byVersion = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return names.includes(plain) ? plain : (byVersion.at(-1) ?? plain);
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
