import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { cached } from '../support/servers/cache-folder.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { fetchSuite } from './fetch.ts';
import { readTestFile, type TestFile } from './reader.ts';

/** A statement and the file that it stands in. */
export interface Statement {
  readonly sql: string;
  readonly file: string;
}

/** What takes reading all files to know. */
interface Index {
  /** Files to be replayed: all tests, and what is replayed within none of them. */
  readonly roots: readonly string[];
  /** Long files that so many others include that they are replayed once, by themselves. */
  readonly common: readonly string[];
}

const folders: Readonly<Record<Flavor, string>> = {
  mysql: 'usr/lib/mysql-test',
  mariadb: 'usr/share/mysql/mysql-test',
};

/** How often a file is included in one replay: some tests include files thousands of times. */
const maxInclusions = 3;

/** Opens the test suite of a server, downloading it first where needed. */
export async function openSuite(flavor: Flavor): Promise<Suite> {
  const root = join(await fetchSuite(flavor), folders[flavor]);
  const paths = await readdir(root, { recursive: true, withFileTypes: true });
  const names = paths
    .filter((entry) => entry.isFile() && /\.(test|inc)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
  const files = new Files(root, names);
  return new Suite(files, await readIndex(flavor, files));
}

/** The test files of one server; names are relative to the suite's folder. */
export class Suite {
  readonly files: Files;
  readonly roots: readonly string[];
  readonly #common: ReadonlySet<string>;

  constructor(files: Files, { roots, common }: Index) {
    this.files = files;
    this.roots = roots;
    this.#common = new Set(common);
  }

  /** Statements of a file with those of the files that it includes, in order. */
  expand(name: string): Statement[] {
    const statements: Statement[] = [];
    const inclusions = new Map<string, number>();
    const visit = (file: string): void => {
      for (const step of this.files.read(file).steps) {
        if (step.kind === 'statement') {
          statements.push({ sql: step.sql, file });
          continue;
        }
        const path = this.files.resolve(step.path, file);
        const times = inclusions.get(path ?? '') ?? 0;
        if (path === undefined || this.#common.has(path) || times === maxInclusions) continue;
        inclusions.set(path, times + 1);
        visit(path);
      }
    };
    visit(name);
    return statements;
  }
}

/** The files of a suite, read when they are needed. */
export class Files {
  readonly names: readonly string[];
  readonly #root: string;
  readonly #known: ReadonlySet<string>;
  readonly #read = new Map<string, TestFile>();

  constructor(root: string, names: readonly string[]) {
    this.#root = root;
    this.names = names;
    this.#known = new Set(names);
  }

  read(name: string): TestFile {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const file = readTestFile(readFileSync(join(this.#root, name), 'utf8'));
    this.#read.set(name, file);
    return file;
  }

  /** Where a sourced path is: from the suite's folder, from the file's own, or from that above. */
  resolve(path: string, from: string): string | undefined {
    const folder = dirname(from);
    const places = [path, join(folder, path), join(dirname(folder), path)];
    return places.find((each) => this.#known.has(each));
  }

  /** Files that a file includes, at whatever depth, but for those in `without`. */
  inclusions(name: string, without: ReadonlySet<string>): string[] {
    const found = new Set<string>();
    const visit = (file: string): void => {
      for (const step of this.read(file).steps) {
        const path = step.kind === 'source' ? this.resolve(step.path, file) : undefined;
        if (path === undefined || found.has(path) || without.has(path)) continue;
        found.add(path);
        visit(path);
      }
    };
    visit(name);
    return [...found];
  }
}

/** Kept in the cache: reading all files takes ten seconds. */
async function readIndex(flavor: Flavor, files: Files): Promise<Index> {
  // With other rules the index is another one.
  const rules = ['suite.ts', 'reader.ts', 'test-language.ts'].map((name) =>
    readFileSync(new URL(name, import.meta.url), 'utf8'),
  );
  const hash = createHash('sha256').update(JSON.stringify([rules, files.names]));
  const name = `${flavor}-testsuite-index-${hash.digest('hex').slice(0, 8)}`;
  const folder = await cached(name, (target) =>
    writeFile(join(target, 'index.json'), JSON.stringify(indexOf(files))),
  );
  return JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
}

function indexOf(files: Files): Index {
  const tests = files.names.filter((name) => name.endsWith('.test'));
  const common = findCommon(files, tests);
  const included = new Set(tests.flatMap((name) => files.inclusions(name, common)));
  const alone = files.names.filter((name) => name.endsWith('.inc') && !included.has(name));
  return { roots: [...tests, ...alone], common: [...common] };
}

/** The machinery of the test suites: half of all statements, if replayed wherever it is included. */
function findCommon(files: Files, tests: readonly string[]): Set<string> {
  const users = new Map<string, number>();
  for (const path of tests.flatMap((name) => files.inclusions(name, new Set()))) {
    users.set(path, (users.get(path) ?? 0) + 1);
  }
  const isLong = (name: string) => files.read(name).steps.length > 10;
  const common = [...users].filter(([name, count]) => count > 60 && isLong(name));
  return new Set(common.map(([name]) => name));
}
