/** The two server families that rwsplit supports. */
export const flavors = ['mysql', 'mariadb'] as const;

/** One of {@link flavors}. */
export type Flavor = (typeof flavors)[number];

/** What `--version` of a server binary says. */
export interface ServerVersion {
  readonly flavor: Flavor;
  /** Dotted number without vendor suffix, as in `9.7.4`. */
  readonly version: string;
}

// Older ones lack SHOW REPLICA STATUS words, OWN_GTID tracking or both on one of the two families.
const oldestSupported: Readonly<Record<Flavor, readonly [number, number]>> = {
  mysql: [8, 4],
  mariadb: [10, 6],
};

/** Reads the answer of `mysqld --version`; `undefined` when it is no such answer. */
export function parseVersion(output: string): ServerVersion | undefined {
  const version = /\bVer (\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (version === undefined) return undefined;
  // Debian and Homebrew install MariaDB under the name mysqld as well: only the text tells.
  return { flavor: /mariadb/i.test(output) ? 'mariadb' : 'mysql', version };
}

/** Whether this server can be used for tests of this flavour. */
export function isUsable(found: ServerVersion, flavor: Flavor): boolean {
  const [major = 0, minor = 0] = found.version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestSupported[flavor];
  const isNewEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return found.flavor === flavor && isNewEnough;
}

/** `MySQL 8.4` or `MariaDB 10.6`: the oldest version that the tests run on. */
export function oldestUsable(flavor: Flavor): string {
  return `${flavor === 'mysql' ? 'MySQL' : 'MariaDB'} ${oldestSupported[flavor].join('.')}`;
}
