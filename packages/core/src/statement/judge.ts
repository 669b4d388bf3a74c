import { allAnswers, asksDiagnostics, asksNothing, findEffects, lasting } from './effects.ts';
import type { Facts, Freed, StatementKind, StatePin, TextReason } from './facts.ts';
import { Lexer } from './lexer.ts';
import { openStatement } from './opening.ts';
import { defaultReading, differs, otherReadings, type Reading } from './readings.ts';
import { ReadJudge, readsSession, worstCall, writingFunctions } from './reads.ts';
import { callsInWrite, freedBy, objectOf } from './session-objects.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import type { Opening, Refusal } from './verdicts.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Words that make a read of WITH or EXPLAIN ANALYZE a write. */
const writes = new Set(['delete', 'insert', 'replace', 'update']);
/** Statements in which `'user'@'host'` is no account. */
const withoutAccounts = new Set('call delete do get insert load replace update'.split(' '));
const accountForms = new Set(['default', 'password']);

function namesAccounts(tokens: Tokens): boolean {
  if (tokens.is(0, 'set')) return tokens.isOneOf(1, accountForms);
  return !tokens.isOneOf(0, withoutAccounts);
}

function facts(kind: StatementKind, more: Partial<Facts>): Facts {
  return {
    kind,
    reason: null,
    word: null,
    pin: null,
    object: null,
    frees: null,
    asks: asksNothing,
    explains: false,
    callsUnknown: false,
    callsWriting: false,
    hint: null,
    ...more,
  };
}

/** Facts of a read that may run on a replica. */
const safeRead: Facts = Object.freeze(facts('read', {}));
const hintedRead: Facts = Object.freeze(facts('read', { hint: 'primary' }));
const safePlan: Facts = Object.freeze(facts('read', { explains: true }));
const hintedPlan: Facts = Object.freeze(facts('read', { explains: true, hint: 'primary' }));

function plainRead(explains: boolean, hint: Facts['hint']): Facts {
  if (explains) return hint === null ? safePlan : hintedPlan;
  return hint === null ? safeRead : hintedRead;
}

/**
 * Characters that all readings of one text may have together: they must not take longer than the
 * one reading of a text that has no other.
 */
const MAX_READ = 1024 * 1024;

/** The lexer's side of the classifier: facts from the text alone, in every reading of it. */
export class TextJudge {
  readonly #lexer: Lexer;
  readonly #reads = new ReadJudge();

  constructor(vocabulary: Vocabulary) {
    this.#lexer = new Lexer(vocabulary);
  }

  /** Tokens of the last text, in its default reading, if it was found safe. */
  get tokens(): Tokens {
    return this.#lexer.tokens;
  }

  /** Facts of a text. A text with several readings is safe only if it is safe in each of them. */
  judge(sql: string): Facts {
    const lexer = this.#lexer;
    let result = this.#judgeReading(sql, defaultReading);
    let { escapedQuote, executableComment } = lexer;
    if (!escapedQuote && !executableComment) return result;
    let read = sql.length;
    for (const reading of otherReadings) {
      if (!differs(reading, escapedQuote, executableComment)) continue;
      read += sql.length;
      if (read > MAX_READ) return unread(result);
      const other = this.#judgeReading(sql, reading);
      escapedQuote ||= lexer.escapedQuote;
      executableComment ||= lexer.executableComment;
      // To this server the text is a syntax error, or nothing at all.
      if (lexer.impossible || other.kind === 'empty') continue;
      result = bothOf(result, other);
    }
    // Leaves the tokens of the default reading for whoever asks next.
    if (result.reason === null) this.#judgeReading(sql, defaultReading);
    return result;
  }

  #judgeReading(sql: string, reading: Reading): Facts {
    const lexer = this.#lexer;
    const { tokens } = lexer;
    lexer.read(sql, reading);
    const hint = lexer.comments.routedToPrimary ? 'primary' : null;
    if (tokens.count === 0) return this.#judgeNothing(hint);
    const opening = openStatement(tokens);
    if (lexer.failure !== null) {
      return facts(opening.kind, {
        reason: lexer.failure,
        word: lexer.word,
        pin: opening.pin ?? 'unknown-state',
        explains: explains(opening),
        hint,
      });
    }
    if (lexer.multiple) return judgeMultiple(tokens, opening, hint);
    if (opening.reason !== null) return this.#judgeOther(opening, opening.reason, hint);
    const refusal = this.#judgeRead(opening);
    if (refusal === null) return plainRead(explains(opening), hint);
    return refusedRead(tokens, opening, refusal, hint);
  }

  #judgeNothing(hint: Facts['hint']): Facts {
    const { failure, word } = this.#lexer;
    if (failure === null) return facts('empty', { reason: 'empty', hint });
    return facts('other', { reason: failure, word, pin: 'unknown-state', hint });
  }

  #judgeRead(opening: Opening): Refusal | null {
    const hint = this.#lexer.comments.optimizerHint;
    if (hint !== null) return { reason: hint, word: hint === 'variable-hint' ? 'set_var' : '/*+' };
    return this.#reads.judge(this.#lexer.tokens, opening.body);
  }

  #judgeOther(opening: Opening, reason: TextReason, hint: Facts['hint']): Facts {
    const tokens = this.#lexer.tokens;
    const word = tokens.word(opening.at) || null;
    if (opening.definition) return facts(opening.kind, { reason, word, pin: opening.pin, hint });
    const effects = findEffects(tokens, namesAccounts(tokens));
    const asks = asksForDiagnostics(tokens, opening.kind)
      ? allAnswers(effects.asks, asksDiagnostics)
      : effects.asks;
    const frees = freedBy(tokens);
    if (frees !== null)
      return facts(opening.kind, { reason, word, pin: effects.pin, frees, asks, hint });
    const pin = opening.pin ?? this.#pinOfCalls(opening.kind, effects.pin);
    // What else it leaves stays when the object is gone.
    const object = opening.pin === null || effects.pin !== null ? null : objectOf(tokens);
    return facts(opening.kind, { reason, word, pin, object, asks, hint });
  }

  /**
   * DO is for what a function does: one that we do not know may do anything. So it may beside a user
   * lock, which can be released while the rest stays.
   */
  #pinOfCalls(kind: StatementKind, pin: StatePin | null): StatePin | null {
    const tokens = this.#lexer.tokens;
    if (pin !== null && pin !== 'user-lock') return pin;
    if (tokens.is(0, 'do')) return this.#mayCallUnknown(1) ? 'unknown-state' : pin;
    if (tokens.is(0, 'show')) return showsBy(tokens) ? 'unknown-state' : pin;
    const calls = pin !== null && kind === 'write' && callsInWrite(tokens, 1);
    return calls ? 'unknown-state' : pin;
  }

  #mayCallUnknown(from: number): boolean {
    const tokens = this.#lexer.tokens;
    if (worstCall(tokens, from) === 'unknown') return true;
    const reason = this.#reads.judge(tokens, from)?.reason;
    return reason !== undefined && unclear.has(reason);
  }
}

/** SHOW … WHERE: its condition may call a stored function (measured, both servers). */
function showsBy(tokens: Tokens): boolean {
  for (let at = 1; at < tokens.count; at++) {
    if (tokens.is(at, 'where')) return worstCall(tokens, at) === 'unknown';
  }
  return false;
}

/** Reasons of a read for which nobody knows what is called. */
const unclear: ReadonlySet<TextReason> = new Set(['catalogue', 'malformed', 'unknown-function']);

/** EXPLAIN, DESCRIBE or ANALYZE of a read. */
function explains({ kind, body }: Opening): boolean {
  return kind === 'read' && body > 0;
}

/** A routine's body has `;` inside, and is one statement. */
function judgeMultiple(tokens: Tokens, opening: Opening, hint: Facts['hint']): Facts {
  const pin = 'unknown-state';
  const word = tokens.word(0) || null;
  if (opening.definition) return facts(opening.kind, { reason: 'not-a-read', word, pin, hint });
  return facts('multiple', { reason: 'multiple-statements', pin, hint });
}

function refusedRead(
  tokens: Tokens,
  opening: Opening,
  refusal: Refusal,
  hint: Facts['hint'],
): Facts {
  const written = refusal.reason === 'writes' && writes.has(refusal.word ?? '');
  const kind = written ? kindOfWrite(opening) : 'read';
  const effects = findEffects(tokens, false);
  const isUnknown = refusal.reason === 'unknown-function' || refusal.reason === 'catalogue';
  const calls = isUnknown ? 'unknown' : worstCall(tokens, opening.body);
  // What a stored function does to the session, no answer of the server tells.
  const leavesAny = refusal.reason === 'malformed' || (kind === 'read' && calls === 'unknown');
  return facts(kind, {
    reason: refusal.reason,
    word: refusal.word,
    pin: leavesAny ? lasting(effects.pin, 'unknown-state') : effects.pin,
    frees: freedBy(tokens),
    asks: effects.asks,
    explains: kind === 'read' && explains(opening),
    callsUnknown: calls !== 'pure' || refusal.reason === 'unsafe-function',
    // NEXT VALUE FOR has no parentheses.
    callsWriting: calls === 'unknown' || calls === 'writing' || writingFunctions.has(refusal.word),
    hint,
  });
}

/** A write behind WITH or EXPLAIN ANALYZE is executed, behind EXPLAIN shown. */
function kindOfWrite(opening: Opening): StatementKind {
  if (opening.executes) return 'write';
  return opening.body > 0 ? 'show' : 'read';
}

const diagnostics = new Set(['warnings', 'errors', 'profile', 'profiles']);

/**
 * GET DIAGNOSTICS, SHOW WARNINGS, SHOW ERRORS, SHOW COUNT(*) WARNINGS, and MySQL's profiles of past
 * statements.
 */
function asksForDiagnostics(tokens: Tokens, kind: StatementKind): boolean {
  if (tokens.is(0, 'get')) return true;
  if (kind !== 'show') return false;
  if (tokens.isOneOf(1, diagnostics)) return true;
  const counts = tokens.is(1, 'count') && tokens.type(2) === token.OPEN;
  return counts && tokens.isOneOf(5, diagnostics);
}

function kindOfBoth(first: StatementKind, second: StatementKind): StatementKind {
  if (first === second || first === 'empty') return second;
  return first === 'multiple' || second === 'multiple' ? 'multiple' : 'other';
}

/** Facts of a text that has more readings than could be read. */
function unread(first: Facts): Facts {
  const reason = first.reason ?? 'malformed';
  return { ...first, reason, pin: first.pin ?? 'unknown-state', object: null, frees: null };
}

/** Facts that hold in both readings. */
function bothOf(first: Facts, second: Facts): Facts {
  const kind = kindOfBoth(first.kind, second.kind);
  const frees = isSame(first.frees, second.frees) ? first.frees : null;
  const freed = frees === null ? (first.frees ?? second.frees) : null;
  const left = lasting(first.pin, second.pin) ?? freed?.pin ?? null;
  const pin = left ?? (kind === 'other' && frees === null ? 'unknown-state' : null);
  const both = {
    kind,
    pin,
    object: first.object === second.object ? first.object : null,
    frees,
    asks: allAnswers(first.asks, second.asks),
    explains: first.explains || second.explains,
    callsUnknown: first.callsUnknown || second.callsUnknown,
    callsWriting: first.callsWriting || second.callsWriting,
    hint: first.hint ?? second.hint,
  };
  if (first.reason === null) {
    if (second.reason !== null) return { ...both, reason: 'malformed', word: null };
    return plainRead(both.explains, both.hint);
  }
  const isGraver = second.reason !== null && !readsSession(second.reason);
  const { reason, word } = isGraver && readsSession(first.reason) ? second : first;
  return { ...both, reason, word };
}

function isSame(first: Freed | null, second: Freed | null): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}
