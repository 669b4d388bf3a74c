/* Words of statements that tell where the names of tables stand. See `table-scan.ts`. */

/** Words between a statement's verb, or TABLE, and the name of a table. */
export const modifiers = new Set(
  'low_priority high_priority delayed ignore into table if not exists lateral'.split(' '),
);
export const noTables = new Set(['select', 'with', 'values', 'dual']);
/** Words that end a list of tables. */
export const clauses = new Set(
  (
    'where group having order limit window union except intersect minus lock into set procedure ' +
    'qualify returning'
  ).split(' '),
);
/** Statements with several tables behind TABLE. */
export const manyTables = new Set(
  'analyze check checksum drop flush lock optimize rename repair'.split(' '),
);
export const definitions = new Set(['alter', 'create', 'drop']);
export const setOperators = new Set(['all', 'distinct', 'except', 'intersect', 'union']);
/** First words of statements that name a table at once. */
export const directly = new Set(['handler', 'insert', 'replace', 'truncate', 'update']);
export const described = new Set(['desc', 'describe', 'explain']);
export const explained = new Set(
  'select with table values update delete insert replace analyze extended partitions format for into'.split(
    ' ',
  ),
);
export const columnWords = new Set(['columns', 'fields', 'index', 'indexes', 'keys']);
export const routines = new Set(['function', 'package', 'procedure']);

/** Whether a statement of its own begins with this word, also behind EXPLAIN. */
export function isVerb(word: string): boolean {
  return directly.has(word) || word === 'select' || word === 'delete';
}
