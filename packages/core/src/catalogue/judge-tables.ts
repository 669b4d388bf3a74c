import type { TextReason } from '../statement/facts.ts';
import { foldName } from '../statement/table-names.ts';
import type { CatalogueRows } from './rows.ts';

/** A view, or a table with a column, that must be read on the primary. */
export interface UnsafeTable {
  /** `db.name`, as the server spells it. */
  readonly name: string;
  /**
   * What its definition says; `'catalogue'`: it reads another such table; `'unreadable'`: this account
   * may not see its definition, or that of what it reads; `'former'`: it was unsafe, and may still be on a replica that lags.
   */
  readonly reason: TextReason | 'unreadable' | 'former';
  /** The word of the definition behind the reason, the other table, or `null`. */
  readonly word: string | null;
}

/** What keeps a text off the replicas; `null` if nothing does. */
export type JudgeText = (
  sql: string,
  database: string,
) => { readonly reason: TextReason; readonly word: string | null } | null;

/** A table that a query reads and this account does not see; `null` if there is none. */
export type FindUnseen = (sql: string) => string | null;

/**
 * Finds the tables whose definition hides what would keep a text on the primary, and the views over
 * them, however deep. Linear; yields after each definition, so that the caller can let others run.
 */
export function* judgeTables(
  { views, columns }: Pick<CatalogueRows, 'views' | 'columns'>,
  judge: JudgeText,
  findUnseen: FindUnseen = () => null,
): Generator<undefined, UnsafeTable[]> {
  const unsafe = new Map<string, UnsafeTable>();
  const add = (table: UnsafeTable) => {
    unsafe.set(foldName(table.name), table);
  };
  for (const { database, table, expression } of columns) {
    const refusal = judge(`SELECT ${expression}`, database);
    if (refusal !== null) {
      add({ name: `${database}.${table}`, ...refusal });
    }
    yield;
  }
  const readers = new Map<string, string[]>();
  for (const { database, name, body } of views) {
    const view = `${database}.${name}`;
    const refusal = body === '' ? unreadable : (judge(body, database) ?? unseen(findUnseen(body)));
    if (refusal !== null) {
      add({ name: view, ...refusal });
    } else {
      for (const used of namesUsed(body)) {
        const known = readers.get(used);
        if (known === undefined) {
          readers.set(used, [view]);
        } else {
          known.push(view);
        }
      }
    }
    yield;
  }
  // A map visits what is added on the way: views over views over …
  for (const [name, table] of unsafe) {
    for (const view of readers.get(name) ?? []) {
      if (!unsafe.has(foldName(view))) {
        add({ name: view, reason: 'catalogue', word: table.name });
      }
    }
  }
  return [...unsafe.values()];
}

const unreadable = { reason: 'unreadable', word: null } as const;

/** What this account does not see may be a view over anything. */
function unseen(table: string | null): Omit<UnsafeTable, 'name'> | null {
  return table === null ? null : { reason: 'unreadable', word: table };
}

const separator = '`.`';

/**
 * What stands as `` `a`.`b` `` in a query as the servers print it: among it every table that it reads.
 * Text in quotes may look like a name too, which does no harm; nothing is missed, as each place where
 * two quoted names meet is looked at by itself.
 */
function namesUsed(body: string): Set<string> {
  const names = new Set<string>();
  for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + 1)) {
    const database = body.slice(beginOfName(body, at), at);
    const name = body.slice(at + separator.length, endOfName(body, at + separator.length));
    names.add(foldName(`${unquoted(database)}.${unquoted(name)}`));
  }
  return names;
}

/** Two backquotes inside a name are one of its letters. */
function endOfName(body: string, from: number): number {
  let end = body.indexOf('`', from);
  while (end >= 0 && body[end + 1] === '`') {
    end = body.indexOf('`', end + 2);
  }
  return end < 0 ? body.length : end;
}

function beginOfName(body: string, to: number): number {
  let begin = body.lastIndexOf('`', to - 1);
  while (begin > 0 && body[begin - 1] === '`') {
    begin = body.lastIndexOf('`', begin - 2);
  }
  return begin + 1;
}

function unquoted(name: string): string {
  return name.replaceAll('``', '`');
}
