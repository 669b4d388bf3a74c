import type { StatementKind, StatePin, TextReason } from './facts.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import type { Opening } from './verdicts.ts';

/*
 * SET (MySQL manual, "SET Syntax for Variable Assignment" and the sections beside it; MariaDB
 * manual, "SET"): what it leaves in the session.
 */

const globalScopes = new Set(['global', 'persist', 'persist_only']);

/** SET forms that are no assignments, and the state that they leave in the session. */
const forms: ReadonlyMap<string, StatePin | null> = new Map<string, StatePin | null>([
  // For other sessions of an account.
  ['password', null],
  ['role', 'role'],
]);

export function openSet(tokens: Tokens): Opening {
  if (tokens.is(1, 'transaction')) return opening('set-transaction', null);
  if (tokens.is(1, 'statement')) return opening('other', pinOfPrefixed(tokens), 'variable-hint');
  if (changesIdentity(tokens)) return opening('set', 'role');
  const form = tokens.type(1) === token.WORD ? forms.get(tokens.word(1)) : undefined;
  const pin = form === undefined ? pinOfAssignments(tokens) : form;
  return opening(mayCall(tokens) ? 'other' : 'set', pin);
}

/** Whether a function may be called, which may write: only behind a parenthesis. */
function mayCall(tokens: Tokens): boolean {
  for (let at = 1; at < tokens.count; at++) {
    if (tokens.type(at) === token.OPEN) return true;
  }
  return false;
}

function opening(
  kind: StatementKind,
  pin: StatePin | null,
  reason: TextReason = 'not-a-read',
): Opening {
  const at = reason === 'variable-hint' ? 1 : 0;
  return { kind, reason, pin, at, body: -1, executes: false, definition: false };
}

/** SET DEFAULT ROLE; SET SESSION AUTHORIZATION of MariaDB 12, the account that the session acts as. */
function changesIdentity(tokens: Tokens): boolean {
  if (tokens.is(1, 'default')) return tokens.is(2, 'role');
  return tokens.is(1, 'session') && tokens.is(2, 'authorization');
}

/** SET STATEMENT … FOR …: of all that may follow, what no reset of the connection undoes. */
function pinOfPrefixed(tokens: Tokens): StatePin {
  for (let at = 2; at < tokens.count; at++) {
    if (!tokens.is(at, 'for')) continue;
    if (tokens.is(at + 1, 'xa')) return 'xa-transaction';
    if (tokens.is(at + 1, 'call') || tokens.is(at + 1, 'execute')) return 'unknown-state';
    const set = tokens.is(at + 1, 'set');
    if (set && (tokens.is(at + 2, 'role') || tokens.is(at + 2, 'default'))) return 'role';
  }
  return 'session-variable';
}

/**
 * The strongest pin of a list of assignments: a session variable before a user variable. Each
 * assignment has its own scope; what has none is a session variable.
 */
function pinOfAssignments(tokens: Tokens): StatePin | null {
  let pin: StatePin | null = null;
  let depth = 0;
  for (let at = 1; at < tokens.count; at++) {
    const type = tokens.type(at);
    if (type === token.OPEN) depth++;
    else if (type === token.CLOSE) depth--;
    if (at === 1 || (type === token.COMMA && depth === 0)) {
      const assigned = pinOfAssignment(tokens, at === 1 ? 1 : at + 1);
      if (assigned === 'session-variable') return assigned;
      pin ??= assigned;
    }
  }
  return pin;
}

function pinOfAssignment(tokens: Tokens, at: number): StatePin | null {
  const type = tokens.type(at);
  if (type === token.VARIABLE) return 'user-variable';
  if (type === token.SYSTEM_VARIABLE) {
    const scope = tokens.type(at + 2) === token.PERIOD ? tokens.word(at + 1) : '';
    return globalScopes.has(scope) ? null : 'session-variable';
  }
  return tokens.isOneOf(at, globalScopes) ? null : 'session-variable';
}
