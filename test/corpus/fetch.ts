import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { findOrigin, unpackPackages } from '../support/servers/apt-packages.ts';
import { cached } from '../support/servers/cache-folder.ts';
import type { Flavor } from '../support/servers/flavor.ts';

/** Packages with the servers' own test suites. */
const packages: Readonly<Record<Flavor, readonly string[]>> = {
  mysql: ['mysql-testsuite'],
  mariadb: ['mariadb-test', 'mariadb-test-data'],
};

/**
 * The folder with a server's own test suite, downloaded into the user's cache the first time.
 *
 * @throws Error on machines without apt, or without a package source
 */
export async function fetchSuite(flavor: Flavor): Promise<string> {
  const origin = await findOrigin(flavor);
  if (origin === undefined) {
    throw new Error(`the test suite of ${flavor} is taken from Debian's packages: no apt here`);
  }
  const name = `${flavor}-testsuite-${origin.distribution}-${origin.suite}`;
  return cached(name, (folder) =>
    unpackPackages(folder, origin, {
      prefix: packages[flavor][0] ?? '',
      choose: () => packages[flavor],
      dependencies: false,
    }),
  );
}

/** Version of the package with a server's own test suite, from its change log. */
export async function suiteVersion(flavor: Flavor): Promise<string> {
  const log = join('usr/share/doc', packages[flavor][0] ?? '', 'changelog.Debian.gz');
  const text = gunzipSync(await readFile(join(await fetchSuite(flavor), log))).toString('utf8');
  return /^\S+ \(([^)]+)\)/.exec(text)?.[1] ?? 'unknown';
}
