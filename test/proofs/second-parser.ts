import { init, parse } from '@guanmingchiu/sqlparser-ts';

/*
 * What datafusion-sqlparser-rs, which shares nothing with our lexer or with node-sql-parser, sees
 * in a text.
 */

/** Statements that read; EXPLAIN has the statement that it explains inside. */
const reading = new Set(['Query', 'Explain', 'ExplainTable']);
/** What a query can be that is no read. */
const writing = new Set(['Insert', 'Update', 'Delete', 'Merge']);

/** Loads the parser; before the first {@link objectionTo}. */
export async function loadParser(): Promise<void> {
  await init();
}

/** Why the parser would not send a text to a replica: `null` if it would, `undefined` if it cannot parse it. */
export function objectionTo(sql: string): string | null | undefined {
  let statements: readonly unknown[];
  try {
    statements = parse(sql, 'mysql') as readonly unknown[];
  } catch {
    return undefined;
  }
  if (statements.length !== 1) return `${statements.length} statements`;
  const [kind = 'nothing'] = Object.keys(statements[0] as object);
  return reading.has(kind) ? objectionIn(statements[0]) : kind;
}

/** Without recursion: the tree is as deep as the longest chain of operators. */
function objectionIn(tree: unknown): string | null {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    for (const [key, value] of Object.entries(node)) {
      const objection = objectionToPart(key, value);
      if (objection !== null) return objection;
      open.push(value);
    }
  }
  return null;
}

function objectionToPart(key: string, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (key === 'locks' && Array.isArray(value) && value.length > 0) return 'lock';
  if (key === 'into') return 'into';
  if (writing.has(key) && typeof value === 'object') return key;
  if (key === 'op' && value === 'Assignment') return 'assignment';
  if (key === 'Identifier' && isVariable(value)) return 'variable';
  return null;
}

function isVariable(identifier: unknown): boolean {
  const { value, quote_style: quote } = identifier as { value?: unknown; quote_style?: unknown };
  return typeof value === 'string' && value.startsWith('@') && (quote ?? null) === null;
}
