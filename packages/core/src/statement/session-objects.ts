import type { Freed } from './facts.ts';
import { worstCall } from './reads.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import { QUERY_START } from './vocabulary.ts';

/*
 * What of its session a statement names: the object of a pin, and state that is gone when it has
 * succeeded. Only what every token of the statement agrees with; all else is `null`.
 */

/** A name, and the token behind it. */
interface Name {
  readonly name: string;
  readonly end: number;
}

/** The identifier at token `at`, as it is written, without its quotes. */
function identifierAt(tokens: Tokens, at: number): string | null {
  const type = tokens.type(at);
  const text = tokens.sql.slice(tokens.start(at), tokens.end(at));
  if (type === token.WORD || type === token.NAME) return text;
  if (type !== token.QUOTED) return null;
  const name = text.slice(1, -1).replaceAll('``', '`');
  // It would look like a qualified name.
  return name.includes('.') ? null : name;
}

function nameAt(tokens: Tokens, at: number): Name | null {
  const first = identifierAt(tokens, at);
  if (first === null || tokens.type(at + 1) !== token.PERIOD) {
    return first === null ? null : { name: first, end: at + 1 };
  }
  const second = identifierAt(tokens, at + 2);
  return second === null || tokens.type(at + 3) === token.PERIOD
    ? null
    : { name: `${first}.${second}`, end: at + 3 };
}

function endsAt(tokens: Tokens, at: number): boolean {
  return at === tokens.count;
}

const table = new Set(['table', 'tables']);

/** The object of the pin of a statement's opening. See {@link Facts.object}. */
export function objectOf(tokens: Tokens): string | null {
  switch (tokens.word(0)) {
    case 'create':
      return temporaryTable(tokens);
    case 'prepare':
      return tokens.is(2, 'from') ? identifierAt(tokens, 1) : null;
    case 'handler':
      return openHandler(tokens);
    case 'lock':
      if (tokens.is(1, 'instance')) return 'instance';
      return tokens.isOneOf(1, table) ? 'tables' : null;
    case 'flush':
      return tokens.isOneOf(1, table) || tokens.isOneOf(2, table) ? 'tables' : null;
    default:
      return null;
  }
}

/** CREATE [OR REPLACE] TEMPORARY TABLE [IF NOT EXISTS] t … */
function temporaryTable(tokens: Tokens): string | null {
  let at = tokens.is(1, 'or') ? 3 : 1;
  if (!tokens.is(at, 'temporary') || !tokens.is(at + 1, 'table')) return null;
  at += 2;
  if (tokens.is(at, 'if') && tokens.is(at + 1, 'not') && tokens.is(at + 2, 'exists')) at += 3;
  const found = nameAt(tokens, at);
  // A function of its query may leave more than the table, and that is not gone with it.
  return found === null || callsInWrite(tokens, found.end) ? null : found.name;
}

/** HANDLER t OPEN [[AS] h], HANDLER h READ …: without an alias, the table's own name is the handler's. */
function openHandler(tokens: Tokens): string | null {
  const qualified = tokens.type(2) === token.PERIOD;
  const at = qualified ? 3 : 1;
  const own = identifierAt(tokens, at);
  if (!qualified && tokens.is(2, 'read')) return own;
  if (!tokens.is(at + 1, 'open')) return null;
  if (endsAt(tokens, at + 2)) return own;
  const alias = tokens.is(at + 2, 'as') ? at + 3 : at + 2;
  return endsAt(tokens, alias + 1) ? identifierAt(tokens, alias) : null;
}

/** Whether a write may call an unknown function in its query, or from token `from` on if it has none. */
export function callsInWrite(tokens: Tokens, from: number): boolean {
  for (let at = from; at < tokens.count; at++) {
    const isQuery = tokens.type(at) === token.WORD && (tokens.flags(at) & QUERY_START) !== 0;
    if (isQuery) return worstCall(tokens, at) === 'unknown';
  }
  return tokens.is(0, 'update') && worstCall(tokens, from) === 'unknown';
}

const tableLocks: Freed = Object.freeze({ pin: 'table-lock', objects: Object.freeze(['tables']) });
const instanceLock: Freed = Object.freeze({
  pin: 'table-lock',
  objects: Object.freeze(['instance']),
});
const userLocks: Freed = Object.freeze({ pin: 'user-lock', objects: null });
const transaction: Freed = Object.freeze({ pin: 'xa-transaction', objects: null });

/** State that is gone when the statement has succeeded. See {@link Facts.frees}. */
export function freedBy(tokens: Tokens): Freed | null {
  switch (tokens.word(0)) {
    case 'unlock':
      if (!endsAt(tokens, 2)) return null;
      if (tokens.is(1, 'instance')) return instanceLock;
      return tokens.isOneOf(1, table) ? tableLocks : null;
    case 'select':
    case 'do':
      return releasesAllLocks(tokens) ? userLocks : null;
    case 'drop':
      return tokens.is(1, 'temporary') ? droppedTables(tokens) : droppedStatement(tokens);
    case 'deallocate':
      return droppedStatement(tokens);
    case 'handler':
      return tokens.is(2, 'close') && endsAt(tokens, 3)
        ? freed('handler', identifierAt(tokens, 1))
        : null;
    case 'xa':
      return tokens.is(1, 'commit') || tokens.is(1, 'rollback') ? transaction : null;
    default:
      return null;
  }
}

function freed(pin: Freed['pin'], object: string | null): Freed | null {
  return object === null ? null : { pin, objects: [object] };
}

/** SELECT RELEASE_ALL_LOCKS() [[AS] a], and DO: nothing else in it takes a lock again. */
function releasesAllLocks(tokens: Tokens): boolean {
  const isCall =
    tokens.is(1, 'release_all_locks') &&
    tokens.type(2) === token.OPEN &&
    tokens.type(3) === token.CLOSE;
  if (!isCall || endsAt(tokens, 4)) return isCall;
  const alias = tokens.is(4, 'as') ? 5 : 4;
  const type = tokens.type(alias);
  const isName = type >= token.WORD && type <= token.DOUBLE_QUOTED;
  return tokens.is(0, 'select') && isName && endsAt(tokens, alias + 1);
}

/** DEALLOCATE PREPARE s, DROP PREPARE s. */
function droppedStatement(tokens: Tokens): Freed | null {
  const isWhole = tokens.is(1, 'prepare') && endsAt(tokens, 3);
  return isWhole ? freed('prepared-statement', identifierAt(tokens, 2)) : null;
}

const dropOptions = new Set(['restrict', 'cascade']);

/** DROP TEMPORARY TABLE [IF EXISTS] a, b [RESTRICT | CASCADE]. */
function droppedTables(tokens: Tokens): Freed | null {
  if (!tokens.isOneOf(2, table)) return null;
  let at = tokens.is(3, 'if') && tokens.is(4, 'exists') ? 5 : 3;
  const objects: string[] = [];
  for (;;) {
    const found = nameAt(tokens, at);
    if (found === null) return null;
    objects.push(found.name);
    at = found.end + 1;
    if (tokens.type(found.end) === token.COMMA) continue;
    const isWhole =
      endsAt(tokens, found.end) || (tokens.isOneOf(found.end, dropOptions) && endsAt(tokens, at));
    return isWhole ? { pin: 'temporary-table', objects } : null;
  }
}
