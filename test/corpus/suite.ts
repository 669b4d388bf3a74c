import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Flavor } from '../support/servers/flavor.ts';
import { fetchSuite } from './fetch.ts';
import { readTestFile, type TestFile } from './reader.ts';

/** A statement and the file that it stands in. */
export interface Statement {
  readonly sql: string;
  readonly file: string;
}

/** The test files of one server, read. Names are relative to the suite's folder. */
export interface Suite {
  readonly files: ReadonlyMap<string, TestFile>;
  /** Files to be replayed: all tests, and what is replayed within none of them. */
  readonly roots: readonly string[];
  /** Long files that so many others include that they are replayed once, by themselves. */
  readonly common: ReadonlySet<string>;
}

const folders: Readonly<Record<Flavor, string>> = {
  mysql: 'usr/lib/mysql-test',
  mariadb: 'usr/share/mysql/mysql-test',
};

/** Reads the whole test suite of a server, downloading it first where needed. */
export async function readSuite(flavor: Flavor): Promise<Suite> {
  const root = join(await fetchSuite(flavor), folders[flavor]);
  const paths = await readdir(root, { recursive: true, withFileTypes: true });
  const names = paths
    .filter((entry) => entry.isFile() && /\.(test|inc)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
  const files = new Map<string, TestFile>();
  for (const name of names) files.set(name, readTestFile(await readFile(join(root, name), 'utf8')));
  const tests = [...files.keys()].filter((name) => name.endsWith('.test'));
  const common = findCommon(files, tests);
  const included = new Set(tests.flatMap((name) => inclusionsOf(files, name, common)));
  const alone = [...files.keys()].filter((name) => name.endsWith('.inc') && !included.has(name));
  return { files, roots: [...tests, ...alone], common };
}

/** How often a file is included in one replay: some tests include files thousands of times. */
const maxInclusions = 3;

/** Statements of a file with those of the files that it includes, in order. */
export function expand({ files, common }: Suite, name: string): Statement[] {
  const statements: Statement[] = [];
  const inclusions = new Map<string, number>();
  const visit = (file: string): void => {
    for (const step of files.get(file)?.steps ?? []) {
      if (step.kind === 'statement') {
        statements.push({ sql: step.sql, file });
        continue;
      }
      const path = resolve(files, step.path, file);
      const times = inclusions.get(path ?? '') ?? 0;
      if (path === undefined || common.has(path) || times === maxInclusions) continue;
      inclusions.set(path, times + 1);
      visit(path);
    }
  };
  visit(name);
  return statements;
}

/** Where a sourced path is: from the suite's folder, from the file's own, or from that above. */
function resolve(
  files: ReadonlyMap<string, TestFile>,
  path: string,
  from: string,
): string | undefined {
  const folder = dirname(from);
  return [path, join(folder, path), join(dirname(folder), path)].find((each) => files.has(each));
}

/** Files that a test includes, at whatever depth. */
function inclusionsOf(
  files: ReadonlyMap<string, TestFile>,
  name: string,
  without: ReadonlySet<string>,
): string[] {
  const found = new Set<string>();
  const visit = (file: string): void => {
    for (const step of files.get(file)?.steps ?? []) {
      const path = step.kind === 'source' ? resolve(files, step.path, file) : undefined;
      if (path === undefined || found.has(path) || without.has(path)) continue;
      found.add(path);
      visit(path);
    }
  };
  visit(name);
  return [...found];
}

/** The machinery of the test suites: half of all statements, if replayed wherever it is included. */
function findCommon(files: ReadonlyMap<string, TestFile>, tests: readonly string[]): Set<string> {
  const users = new Map<string, number>();
  for (const path of tests.flatMap((name) => inclusionsOf(files, name, new Set()))) {
    users.set(path, (users.get(path) ?? 0) + 1);
  }
  const isLong = (name: string) => (files.get(name)?.steps.length ?? 0) > 10;
  return new Set(
    [...users].filter(([name, count]) => count > 60 && isLong(name)).map(([name]) => name),
  );
}
