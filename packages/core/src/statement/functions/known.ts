import type { Dialect } from '../facts.ts';
import { mariadbFunctions } from './mariadb.ts';
import { mysqlFunctions } from './mysql.ts';
import {
  type ArgumentCounts,
  type FunctionTable,
  type ImpureFunction,
  versionNumber,
} from './table.ts';

/** The servers behind a pool, as far as functions depend on them; see `ClassifierOptions`. */
export interface ServerVersions {
  readonly dialect: Dialect;
  readonly version?: number;
  readonly newestVersion?: number;
}

/** The built-in functions of these servers. */
export interface KnownFunctions {
  /** Pure on each of them; `true` for those that must touch their parenthesis on one. */
  readonly pure: ReadonlyMap<string, boolean>;
  /** Those of the pure ones that are built in with some numbers of arguments only. */
  readonly argumentCounts: ReadonlyMap<string, ArgumentCounts>;
  /** Impure on one of them. */
  readonly impure: ReadonlyMap<string, ImpureFunction>;
  /** Pure in some version of each dialect. */
  readonly names: readonly string[];
}

/** What is built in on all of these servers, and what is impure on any. */
export function knownFunctions(servers: ServerVersions): KnownFunctions {
  const tables = tablesOf(servers.dialect).map((table) => pureNames(table));
  const ranges = tables.map(({ table }) => versionRange(table, servers));
  const [first, ...others] = tables;
  const names = [...(first?.touching.keys() ?? [])].filter((name) =>
    others.every(({ touching }) => touching.has(name)),
  );
  const isPure = (name: string) =>
    tables.every(({ since, until }, index) => {
      const { oldest, newest } = ranges[index] ?? allVersions;
      const gone = until.get(name);
      return (since.get(name) ?? 0) <= oldest && (gone === undefined || newest < gone);
    });
  const mustTouch = (name: string) => tables.some(({ touching }) => touching.get(name) === true);
  return {
    pure: new Map(names.filter(isPure).map((name) => [name, mustTouch(name)])),
    // No function has them in both tables.
    argumentCounts: new Map(tables.flatMap(({ table }) => Object.entries(table.counted))),
    impure: new Map(tables.flatMap(({ table }) => Object.entries(table.impure))),
    names,
  };
}

/** What a built-in function is that is pure on no server of this dialect. */
export function impureFunction(name: string, dialect: Dialect): ImpureFunction | undefined {
  const found = tablesOf(dialect).map(({ impure }) =>
    Object.hasOwn(impure, name) ? impure[name] : undefined,
  );
  return found.includes(undefined) ? undefined : found[0];
}

function tablesOf(dialect: Dialect): readonly FunctionTable[] {
  if (dialect === 'mysql') return [mysqlFunctions];
  if (dialect === 'mariadb') return [mariadbFunctions];
  return [mysqlFunctions, mariadbFunctions];
}

interface VersionRange {
  readonly oldest: number;
  readonly newest: number;
}

const allVersions: VersionRange = { oldest: 0, newest: Infinity };

function versionRange(table: FunctionTable, servers: ServerVersions): VersionRange {
  const { version: oldest = versionNumber(table.version), newestVersion } = servers;
  if (oldest === 0) return allVersions;
  return { oldest, newest: Math.max(oldest, newestVersion ?? oldest) };
}

interface PureNames {
  readonly table: FunctionTable;
  readonly since: ReadonlyMap<string, number>;
  readonly until: ReadonlyMap<string, number>;
  /** Every name that is pure in some version; `true` if it must touch its parenthesis. */
  readonly touching: ReadonlyMap<string, boolean>;
}

function pureNames(table: FunctionTable): PureNames {
  const since = versionsByName(table.since);
  const until = versionsByName(table.until);
  // What was not measured is documented at best as it touches its parenthesis.
  const notMeasured = [...since.keys(), ...until.keys()];
  const touching = new Map<string, boolean>(
    [...notMeasured, ...table.touching.split(' ')].map((name) => [name, true]),
  );
  for (const name of table.pure.split(' ')) touching.set(name, false);
  return { table, since, until, touching };
}

function versionsByName(lists: Readonly<Record<number, string>>): Map<string, number> {
  return new Map(
    Object.entries(lists).flatMap(([version, names]) =>
      names.split(' ').map((name): [string, number] => [name, Number(version)]),
    ),
  );
}
