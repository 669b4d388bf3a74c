import { startsQuery } from './calls.ts';
import type { StatementKind, StatePin } from './facts.ts';
import { openSet } from './set-statement.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import type { Opening } from './verdicts.ts';

const nothing = { at: 0, pin: null, body: -1, executes: false, definition: false } as const;

function read(body: number, executes: boolean): Opening {
  return { ...nothing, kind: 'read', reason: null, body, executes };
}

function notARead(kind: StatementKind, pin: StatePin | null = null): Opening {
  return { ...nothing, kind, reason: 'not-a-read', pin };
}

const plainRead = read(0, false);
const withRead = read(0, true);
const show: Opening = { ...nothing, kind: 'show', reason: 'show' };
const explainedWrite: Opening = { ...nothing, kind: 'show', reason: 'writes' };
const executedWrite: Opening = { ...nothing, kind: 'write', reason: 'writes' };
const write = notARead('write');
const other = notARead('other');
const unknown = notARead('other', 'unknown-state');
/** A temporary table with another name is not gone when one of its old name is dropped. */
const renamed = notARead('write', 'unknown-state');
const definition: Opening = { ...write, definition: true };

/** How a statement that begins with this word opens. */
type Rule = Opening | ((tokens: Tokens) => Opening);

/** A text that begins with no word of this table is unknown: it may leave anything behind. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['select', plainRead],
  ['table', plainRead],
  ['values', plainRead],
  ['with', withRead],
  ['explain', openExplain],
  ['describe', openExplain],
  ['desc', openExplain],
  ['show', show],
  ['help', show],
  ['analyze', openAnalyze],
  ['begin', openBegin],
  ['start', openStart],
  ['commit', notARead('commit')],
  ['rollback', openRollback],
  ['savepoint', notARead('savepoint')],
  ['release', notARead('savepoint')],
  ['set', openSet],
  ['alter', openAlter],
  ['create', openDefinition],
  ['drop', openDrop],
  ['flush', openFlush],
  ['rename', openRename],
  ...group('delete grant import insert install replace revoke truncate uninstall', write),
  ...group('do load optimize repair update', write),
  ['call', notARead('write', 'unknown-state')],
  // What it begins with is about all that follow in its session.
  ['binlog', unknown],
  ...group('cache change check checksum clone get kill purge', other),
  ...group('reset restart shutdown stop unlock', other),
  ...group('lock backup', notARead('other', 'table-lock')),
  ...group('prepare execute deallocate', notARead('other', 'prepared-statement')),
  ['handler', notARead('other', 'handler')],
  ['use', notARead('other', 'current-database')],
  ['xa', openXa],
]);

function group(words: string, opening: Opening): [string, Rule][] {
  return words.split(' ').map((word): [string, Rule] => [word, opening]);
}

/** Reads the first words of a text that has at least one token. */
export function openStatement(tokens: Tokens): Opening {
  if (tokens.type(0) === token.OPEN) return startsQuery(tokens, 0) ? plainRead : unknown;
  const rule = tokens.type(0) === token.WORD ? rules.get(tokens.word(0)) : undefined;
  return typeof rule === 'function' ? rule(tokens) : (rule ?? unknown);
}

const explainOptions = new Set(['analyze', 'extended', 'partitions']);
const explainedWrites = new Set(['delete', 'insert', 'replace', 'update']);

/** EXPLAIN, DESCRIBE, DESC: of a statement, or of a table (MySQL manual, "EXPLAIN Statement"). */
function openExplain(tokens: Tokens): Opening {
  let at = 1;
  let analyze = false;
  for (;;) {
    if (tokens.isOneOf(at, explainOptions)) {
      analyze ||= tokens.is(at, 'analyze');
      at++;
    } else if (tokens.is(at, 'format') && tokens.type(at + 1) === token.EQUALS) {
      at += 3;
    } else break;
  }
  return openExplained(tokens, at, analyze);
}

function openExplained(tokens: Tokens, at: number, executes: boolean): Opening {
  if (startsQuery(tokens, at)) return read(at, executes);
  if (tokens.is(at, 'into')) return { ...show, reason: 'into', at };
  if (!tokens.isOneOf(at, explainedWrites)) return show;
  return { ...(executes ? executedWrite : explainedWrite), at };
}

/** MariaDB's ANALYZE [FORMAT=JSON] of a statement, which it executes; else ANALYZE TABLE. */
function openAnalyze(tokens: Tokens): Opening {
  const at = tokens.is(1, 'format') && tokens.type(2) === token.EQUALS ? 4 : 1;
  // TABLE t is no query of MariaDB, and ANALYZE TABLE no read.
  if (tokens.is(at, 'table')) return write;
  const opening = openExplained(tokens, at, true);
  return opening === show ? write : opening;
}

/** BEGIN [WORK]; else a compound statement: BEGIN NOT ATOMIC, a block of the ORACLE mode. */
function openBegin(tokens: Tokens): Opening {
  const next = tokens.type(tokens.is(1, 'work') ? 2 : 1);
  const ends = next === token.NO_TOKEN || next === token.SEMICOLON_TOKEN;
  return ends ? notARead('begin') : { ...unknown, definition: true };
}

function openStart(tokens: Tokens): Opening {
  return tokens.is(1, 'transaction') ? notARead('begin') : other;
}

function openRollback(tokens: Tokens): Opening {
  const to = tokens.is(1, 'work') ? 2 : 1;
  return notARead(tokens.is(to, 'to') ? 'savepoint' : 'rollback');
}

/** XA RECOVER shows the transactions of all sessions. */
function openXa(tokens: Tokens): Opening {
  return tokens.is(1, 'recover') ? other : notARead('other', 'xa-transaction');
}

/** RENAME TABLE: of temporary tables, too, in MariaDB (measured). */
function openRename(tokens: Tokens): Opening {
  return tokens.is(1, 'table') || tokens.is(1, 'tables') ? renamed : write;
}

/** Parts of a table that ALTER TABLE can rename. */
const tableParts = new Set(['column', 'constraint', 'index', 'key']);

/** ALTER TABLE t RENAME [TO] u: of temporary tables, too (measured, both servers). */
function openAlter(tokens: Tokens): Opening {
  const opening = openDefinition(tokens);
  if (opening !== write) return opening;
  for (let at = 1; at < tokens.count; at++) {
    if (tokens.is(at, 'rename') && !tokens.isOneOf(at + 1, tableParts)) return renamed;
  }
  return write;
}

/** Objects whose definition holds statements or expressions for later. */
const definitions = new Set(['event', 'function', 'package', 'procedure', 'trigger', 'view']);
/** Words up to which CREATE may have options: OR REPLACE, DEFINER = …, ALGORITHM = …. */
const MAX_OPTIONS = 24;

function openDefinition(tokens: Tokens): Opening {
  for (let at = 1; at < Math.min(tokens.count, MAX_OPTIONS); at++) {
    if (tokens.isOneOf(at, definitions)) return definition;
    if (tokens.is(at, 'temporary')) return notARead('write', 'temporary-table');
    if (tokens.is(at, 'table') || tokens.type(at) === token.OPEN) return write;
  }
  return write;
}

function openDrop(tokens: Tokens): Opening {
  if (tokens.is(1, 'temporary')) return notARead('write', 'temporary-table');
  return tokens.is(1, 'prepare') ? notARead('other', 'prepared-statement') : write;
}

/** FLUSH TABLES … WITH READ LOCK, and … FOR EXPORT, lock until UNLOCK TABLES. */
function openFlush(tokens: Tokens): Opening {
  for (let at = 1; at < tokens.count; at++) {
    const locks = tokens.is(at, 'read') && tokens.is(at + 1, 'lock');
    if (locks || tokens.is(at, 'export')) return notARead('other', 'table-lock');
  }
  return other;
}
