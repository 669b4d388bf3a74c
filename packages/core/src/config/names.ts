import type { Dialect } from '../statement/facts.ts';
import { impureFunction } from '../statement/functions/known.ts';
import { shown } from './checks.ts';

/** MySQL manual, "Identifier Length Limits". */
const longestName = 64;

const expectedFunction = "a function name, 'f' or 'db.f', without quotes or parentheses";
const expectedTable = "a table name, 't' or 'db.t', without quotes";

/** The options that name functions and tables. */
export interface NameOptions {
  readonly dialect?: unknown;
  readonly pureFunctions?: unknown;
  readonly primaryTables?: unknown;
}

/** Finds names that can be no names, and functions that nobody can declare pure. */
export function nameProblems({ dialect, pureFunctions, primaryTables }: NameOptions): string[] {
  const spoken = dialect === 'mysql' || dialect === 'mariadb' ? dialect : 'unknown';
  return [
    ...each('pureFunctions', pureFunctions, (name) => functionProblem(name, spoken)),
    ...each('primaryTables', primaryTables, (name) =>
      isName(name) ? null : `expected ${expectedTable}, found ${shown(name)}`,
    ),
  ];
}

/** What is no list of texts has been refused as a whole. */
function each(key: string, list: unknown, problem: (name: string) => string | null): string[] {
  if (!Array.isArray(list) || !list.every(isText)) return [];
  return list.flatMap((name: string, index) => {
    const found = problem(name);
    return found === null ? [] : [`${key}[${index}]: ${found}`];
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

/** A call without a database runs the built-in function, whatever else has its name. */
function functionProblem(name: string, dialect: Dialect): string | null {
  if (!isName(name) || /[()]/.test(name)) {
    return `expected ${expectedFunction}, found ${shown(name)}`;
  }
  const impure = impureFunction(name.toLowerCase(), dialect);
  if (impure === undefined) return null;
  const why =
    impure.reason === 'session-function'
      ? 'depends on its session'
      : 'locks, waits, writes or tells of one server';
  return `expected a stored or loadable function, found ${shown(name)}, a built-in one that ${why}`;
}

function isName(text: string): boolean {
  const parts = text.split('.');
  return parts.length <= 2 && parts.every(isIdentifier);
}

function isIdentifier(part: string): boolean {
  const length = Array.from(part).length;
  const isQuoted = /^(["'`]).*\1$/s.test(part);
  return length > 0 && length <= longestName && part.trim() === part && !isQuoted;
}
