import { foldName } from './table-names.ts';
import * as vocabulary from './vocabulary.ts';

/*
 * What is read out of node-sql-parser's trees. Nothing of their shape is documented in full, so
 * nothing here counts on a part being there.
 */

/** What node-sql-parser saw where the lexer saw a plain read. */
export const vetoCauses = ['lock', 'into', 'variable', 'function', 'statement', 'table'] as const;

/** One of {@link vetoCauses}. */
export type VetoCause = (typeof vetoCauses)[number];

/** A table, view or sequence that a text names. */
export interface TableName {
  /** The database it is qualified with; `null` if it is not. */
  readonly db: string | null;
  readonly table: string;
}

/**
 * Clause words that the parser takes for functions: its known false alarms. Each with a text in
 * which it does so.
 */
export const falseAlarms: ReadonlyMap<string, string> = new Map([
  ['all', 'SELECT 1 > ALL (SELECT a FROM t)'],
  ['any', 'SELECT 1 > ANY (SELECT a FROM t)'],
  ['cube', 'SELECT a FROM t GROUP BY CUBE (a)'],
  ['dec', 'SELECT CONVERT(a, DEC(10)) FROM t'],
  ['distinct', 'SELECT AVG(DISTINCT(t.a)) FROM t'],
  ['distinctrow', 'SELECT DISTINCTROW (a) FROM t'],
  ['exists', 'SELECT 1 FROM t WHERE EXISTS (SELECT 1)'],
  ['high_priority', 'SELECT HIGH_PRIORITY (a) FROM t'],
  ['nchar', 'SELECT CONVERT(a, NCHAR(10)) FROM t'],
  ['not', 'SELECT 1 FROM t WHERE NOT (a IS NULL)'],
  ['rollup', 'SELECT a FROM t GROUP BY ROLLUP (a)'],
  ['row', 'SELECT 1 FROM t WHERE ROW(a, b) = ROW(1, 2)'],
  ['select', 'SELECT 1 FROM t WHERE a IN (SELECT (?))'],
  ['some', 'SELECT 1 > SOME (SELECT a FROM t)'],
  ['straight_join', 'SELECT STRAIGHT_JOIN (a) FROM t'],
  ['unique', 'SELECT UNIQUE (a) FROM t'],
  ['values', 'SELECT (VALUES (1)) AS r'],
  ['varcharacter', 'SELECT CONVERT(a, VARCHARACTER(10)) FROM t'],
]);

/** Statement types of the parser's tree that are no reads. */
const statements = new Set(
  (
    'alter analyze attach call create deallocate declare delete drop exec execute for grant ' +
    'insert load_data lock proc rename replace return revoke set transaction truncate unlock ' +
    'update use'
  ).split(' '),
);

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

/**
 * Why a tree is no plain read; `null` if it is one. Without recursion: a tree is as deep as the
 * longest chain of operators.
 */
export function objectionIn(tree: unknown, words: vocabulary.Vocabulary): VetoCause | null {
  if (Array.isArray(tree) && tree.length > 1) return 'statement';
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (!isNode(node)) continue;
    const cause = objectionTo(node, words);
    if (cause !== null) return cause;
    for (const child of Object.values(node)) if (isNode(child)) open.push(child);
  }
  return null;
}

function objectionTo(node: Node, words: vocabulary.Vocabulary): VetoCause | null {
  const { type, into, locking_read: lock } = node;
  if (lock) return 'lock';
  if (isNode(into) && into['position']) return 'into';
  if (type === 'assign' || (type === 'var' && String(node['prefix']).startsWith('@'))) {
    return 'variable';
  }
  const called = functionIn(node);
  if (called !== null && !isKnownFunction(called, words)) return 'function';
  if (typeof type === 'string' && statements.has(type)) return 'statement';
  return isPrimaryTable(node, words) ? 'table' : null;
}

const KNOWN = vocabulary.PURE | vocabulary.PURE_TOUCHING | vocabulary.DECLARED_PURE;

/** Calls are `{ type: 'function', name: { name: [{ value }], schema: { value } } }`. */
function functionIn({ type, name }: Node): string | null {
  if (type !== 'function' || !isNode(name) || !Array.isArray(name['name'])) return null;
  const parts = name['name'].map((part: unknown) => (isNode(part) ? String(part['value']) : ''));
  const schema = isNode(name['schema']) ? `${String(name['schema']['value'])}.` : '';
  return `${schema}${parts.join('.')}`.toLowerCase();
}

function isKnownFunction(called: string, words: vocabulary.Vocabulary): boolean {
  if (called.includes('.')) return words.qualifiedPure.has(called);
  return falseAlarms.has(called) || ((words.flags[words.entryOf(called)] ?? 0) & KNOWN) !== 0;
}

function isPrimaryTable(node: Node, words: vocabulary.Vocabulary): boolean {
  const { table, db } = node;
  if (!isTable(node) || typeof table !== 'string') return false;
  const name = foldName(table);
  const database = typeof db === 'string' ? db : null;
  return words.primaryTables.mayHave(name, database) || words.unsafeTables.mayHave(name, database);
}

/** Tables are `{ db, table, as }`; a column has a `table`, too, but also a `type`. */
function isTable({ type, db, table }: Node): boolean {
  return type === undefined && db !== undefined && typeof table === 'string';
}

/** The names of common table expressions that hide tables from a part of a tree. */
interface Scope {
  readonly names: ReadonlySet<string>;
  readonly outer: Scope | null;
}

/** The tables of a tree, each once, in the order of the text as far as the tree has it. */
export function tablesIn(tree: unknown): TableName[] {
  const found = new Map<string, TableName>();
  const open: { readonly node: unknown; readonly scope: Scope | null }[] = [
    { node: tree, scope: null },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node } = next;
    if (!isNode(node)) continue;
    if (isTable(node)) noteTable(node, next.scope, found);
    const expressions = Array.isArray(node['with']) ? node['with'].filter(isNode) : [];
    const scope = expressions.length > 0 ? scopeOf(expressions, next.scope) : next.scope;
    const children = Object.entries(node).filter(([key, child]) => key !== 'with' && isNode(child));
    for (const [key, child] of children.reverse()) {
      open.push({ node: key === 'table' ? withoutAliases(node, child) : child, scope });
    }
    for (const [index, each] of [...expressions.entries()].reverse()) {
      const isRecursive = expressions[0]?.['recursive'] === true;
      const before = isRecursive ? scope : scopeOf(expressions.slice(0, index), next.scope);
      open.push({ node: each['stmt'], scope: before });
    }
  }
  return [...found.values()];
}

function scopeOf(expressions: readonly Node[], outer: Scope | null): Scope {
  const names = expressions.map(({ name }) =>
    foldName(String(isNode(name) ? name['value'] : name)),
  );
  return { names: new Set(names), outer };
}

function noteTable(node: Node, scope: Scope | null, found: Map<string, TableName>): void {
  const table = String(node['table']).replaceAll('``', '`');
  const db = typeof node['db'] === 'string' ? node['db'].replaceAll('``', '`') : null;
  if (db === null && isHidden(foldName(table), scope)) return;
  found.set(JSON.stringify([db, table]), { db, table });
}

function isHidden(name: string, scope: Scope | null): boolean {
  for (let at = scope; at !== null; at = at.outer) if (at.names.has(name)) return true;
  return false;
}

/** DELETE a FROM t AS a: what stands before FROM are aliases of what stands behind it. */
function withoutAliases(node: Node, tables: unknown): unknown {
  const { type, from } = node;
  if (type !== 'delete' || !Array.isArray(from) || !Array.isArray(tables)) return tables;
  const aliases = new Set(from.map((each: unknown) => (isNode(each) ? each['as'] : null)));
  return tables.filter((each: unknown) => !isNode(each) || !aliases.has(each['table']));
}

/** The names that a tree calls as functions, clause words among them that only look so. */
export function functionsIn(tree: unknown): Set<string> {
  const names = new Set<string>();
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (!isNode(node)) continue;
    const called = functionIn(node);
    if (called !== null) names.add(called);
    open.push(...Object.values(node).filter(isNode));
  }
  return names;
}
