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
  /** Files to be replayed: all tests, and what is included by none of them. */
  readonly roots: readonly string[];
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
  return { files, roots: rootsOf(files) };
}

/** How often a file is included in one replay: some tests include files thousands of times. */
const maxInclusions = 3;

/** Statements of a file with those of the files that it includes, in order. */
export function expand({ files }: Suite, name: string): Statement[] {
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
      if (path === undefined || times === maxInclusions) continue;
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

function rootsOf(files: ReadonlyMap<string, TestFile>): string[] {
  const tests = [...files.keys()].filter((name) => name.endsWith('.test'));
  const included = new Set<string>();
  const visit = (name: string): void => {
    for (const step of files.get(name)?.steps ?? []) {
      const path = step.kind === 'source' ? resolve(files, step.path, name) : undefined;
      if (path === undefined || included.has(path)) continue;
      included.add(path);
      visit(path);
    }
  };
  tests.forEach(visit);
  const alone = [...files.keys()].filter((name) => name.endsWith('.inc') && !included.has(name));
  return [...tests, ...alone];
}
