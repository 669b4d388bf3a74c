import type { RoutingOptions } from '../config/options.ts';
import { scanTables } from '../explain/table-scan.ts';
import { knownFunctions, type ServerVersions } from '../statement/functions/known.ts';
import { mariadbFunctions } from '../statement/functions/mariadb.ts';
import { mysqlFunctions } from '../statement/functions/mysql.ts';
import { versionNumber } from '../statement/functions/table.ts';
import { TextJudge } from '../statement/judge.ts';
import { Lexer } from '../statement/lexer.ts';
import { defaultReading } from '../statement/readings.ts';
import { foldName } from '../statement/table-names.ts';
import { vocabularyOf } from '../statement/vocabularies.ts';
import { bareNames } from './bare-names.ts';
import { type FindUnseen, type JudgeText, judgeTables } from './judge-tables.ts';
import { type Findings, type Knowledge, shadowingFunctions } from './knowledge.ts';
import type { CatalogueRows } from './rows.ts';

/** What else decides which names are unsafe. */
export interface Circumstances {
  readonly servers: ServerVersions;
  readonly options: Pick<RoutingOptions, 'pureFunctions' | 'primaryTables' | 'trustDeclarations'>;
  /** The database that names without one belong to; `null` if it is not known. */
  readonly ownDatabase: string | null;
  /** What was known so far: replicas may still have it. */
  readonly before: Knowledge;
}

/** How long the event loop is kept from others at a time, in milliseconds. */
const slice = 4;

/** Works out which names of the catalogue are unsafe, in slices. */
export async function findNames(
  rows: CatalogueRows,
  circumstances: Circumstances,
): Promise<Findings> {
  const functions = functionsIn(rows, circumstances);
  const views = [...rows.views].sort((one, other) => compare(one.database, other.database));
  const judge = bodyJudge(functions, rows.autoIsNull, circumstances);
  const findUnseen = unseenFinder(rows, circumstances.servers);
  const work = judgeTables({ views, columns: rows.columns }, judge, findUnseen);
  const tables = await inSlices(work);
  return { ...functions, tables: tables.sort((one, other) => compare(one.name, other.name)) };
}

type FunctionNames = Omit<Findings, 'tables'>;

function functionsIn(
  { functions }: CatalogueRows,
  { servers, options }: Circumstances,
): FunctionNames {
  const builtIn = new Set(knownFunctions(servers).names);
  // A stored function is called only where no built-in one has its name, and a loadable one with such a
  // name cannot be made. But nobody knows what a server newer than the tables has lost.
  const reached = isBeyondTables(servers) ? functions.map(({ name }) => name) : [];
  const trusts = options.trustDeclarations === true;
  // A point or a quote in a name would make it ambiguous.
  const qualified = (isPure: boolean) =>
    functions
      .filter(({ isDeclaredPure }) => trusts && isDeclaredPure === isPure)
      .filter(({ database, name }) => !/[.`]/.test(database + name))
      .map(({ database, name }) => `${database}.${name}`);
  return {
    shadowing: [...new Set(reached.map(foldName).filter((name) => builtIn.has(name)))],
    declaredPure: qualified(true),
    otherFunctions: qualified(false),
  };
}

function isBeyondTables({ dialect, newestVersion = 0 }: ServerVersions): boolean {
  const table = dialect === 'mysql' ? mysqlFunctions : mariadbFunctions;
  return dialect !== 'unknown' && newestVersion > versionNumber(table.version);
}

/**
 * Judges the query of a view as the text of a statement is judged. The servers print a function of
 * the view's own database without it, so that what counts as pure depends on that. Nobody needs the
 * parser's veto here: a server has parsed and printed the text.
 */
function bodyJudge(
  found: FunctionNames,
  isNullSpecial: boolean,
  circumstances: Circumstances,
): JudgeText {
  const { servers, options, ownDatabase, before } = circumstances;
  const { pureFunctions = [], primaryTables = [] } = options;
  const own = ownDatabase === null ? null : foldName(ownDatabase);
  const bare = pureFunctions.map(foldName).filter((name) => !name.includes('.'));
  const qualified = [
    ...pureFunctions.map(foldName).filter((name) => name.includes('.')),
    ...(own === null ? [] : bare.map((name) => `${own}.${name}`)),
    ...found.declaredPure.map(foldName).filter((name) => !wasOther(before, name)),
  ];
  const shadowing = [...found.shadowing, ...shadowingFunctions(before)];
  const judgeFor = (names: readonly string[]) =>
    new TextJudge(
      vocabularyOf({
        ...servers,
        primaryTables,
        pureFunctions: [...qualified, ...names],
        catalogue: { unsafeTables: [], shadowingFunctions: shadowing },
      }),
    );
  const usual = judgeFor([]);
  let current = { database: '', judge: usual };
  return (sql, database) => {
    if (current.database !== database) {
      const names = bareNames(qualified, foldName(database));
      current = { database, judge: names.length === 0 ? usual : judgeFor(names) };
    }
    const { reason, word } = current.judge.judge(sql);
    if (reason === null && isNullSpecial && mentionsNull(sql)) {
      return { reason: 'catalogue', word: 'null' };
    }
    return reason === null ? null : { reason, word };
  };
}

/** Servers print each table of a view with its database; what has none is a name of WITH. */
function unseenFinder({ tables }: CatalogueRows, servers: ServerVersions): FindUnseen {
  if (tables === null) {
    return () => null;
  }
  const seen = new Set(tables.map(foldName));
  const lexer = new Lexer(vocabularyOf(servers));
  return (sql) => {
    lexer.read(sql, defaultReading);
    const names = scanTables(lexer.tokens).tables.flatMap(({ db, table }) =>
      db === null ? [] : [`${db}.${table}`],
    );
    return names.find((name) => !seen.has(foldName(name))) ?? null;
  };
}

/** With sql_auto_is_null, `WHERE id IS NULL` asks for the last insert of its connection. */
export function mentionsNull(sql: string): boolean {
  return /null/i.test(sql);
}

function wasOther({ otherFunctions }: Knowledge, name: string): boolean {
  return otherFunctions.now.has(name) || otherFunctions.former.has(name);
}

async function inSlices<Result>(work: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const until = performance.now() + slice;
    let step = work.next();
    while (step.done !== true && performance.now() < until) {
      step = work.next();
    }
    if (step.done === true) {
      return step.value;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
