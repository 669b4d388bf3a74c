import { findEffects } from './effects.ts';
import type { Facts, StatementKind, StatePin, TextReason } from './facts.ts';
import { Lexer } from './lexer.ts';
import { openStatement } from './opening.ts';
import { defaultReading, differs, otherReadings, type Reading } from './readings.ts';
import { callsUnknown, ReadJudge, readsSession } from './reads.ts';
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
    followUp: null,
    callsUnknown: false,
    hint: null,
    ...more,
  };
}

/** Facts of a read that may run on a replica. */
const safeRead: Facts = Object.freeze(facts('read', {}));
const hintedRead: Facts = Object.freeze(facts('read', { hint: 'primary' }));

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
        hint,
      });
    }
    if (lexer.multiple) return judgeMultiple(tokens, opening, hint);
    if (opening.reason !== null) return this.#judgeOther(opening, opening.reason, hint);
    const refusal = this.#judgeRead(opening);
    if (refusal === null) return hint === null ? safeRead : hintedRead;
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
    const pin = opening.pin ?? effects.pin ?? this.#pinOfDo(word);
    const followUp = opening.kind === 'show' ? followUpOfShow(tokens) : effects.followUp;
    const previous = word === 'get' ? 'previous' : followUp;
    return facts(opening.kind, { reason, word, pin, followUp: previous, hint });
  }

  /** DO is for what a function does: one that we do not know may do anything. */
  #pinOfDo(word: string | null): StatePin | null {
    if (word !== 'do') return null;
    const refusal = this.#reads.judge(this.#lexer.tokens, 1);
    return refusal?.reason === 'unknown-function' ? 'unknown-state' : null;
  }
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
  const malformed = refusal.reason === 'malformed';
  return facts(kind, {
    reason: refusal.reason,
    word: refusal.word,
    pin: effects.pin ?? (malformed ? 'unknown-state' : null),
    followUp: effects.followUp,
    callsUnknown: refusal.reason === 'unsafe-function' || callsUnknown(tokens, opening.body),
    hint,
  });
}

/** A write behind WITH or EXPLAIN ANALYZE is executed, behind EXPLAIN shown. */
function kindOfWrite(opening: Opening): StatementKind {
  if (opening.executes) return 'write';
  return opening.body > 0 ? 'show' : 'read';
}

const diagnostics = new Set(['warnings', 'errors', 'profile', 'profiles']);

/** SHOW WARNINGS, SHOW ERRORS, SHOW COUNT(*) WARNINGS, and MySQL's profiles of past statements. */
function followUpOfShow(tokens: Tokens): Facts['followUp'] {
  if (tokens.isOneOf(1, diagnostics)) return 'previous';
  const counts = tokens.is(1, 'count') && tokens.type(2) === token.OPEN;
  return counts && tokens.isOneOf(5, diagnostics) ? 'previous' : null;
}

function kindOfBoth(first: StatementKind, second: StatementKind): StatementKind {
  if (first === second || first === 'empty') return second;
  return first === 'multiple' || second === 'multiple' ? 'multiple' : 'other';
}

/** Facts of a text that has more readings than could be read. */
function unread(first: Facts): Facts {
  return { ...first, reason: first.reason ?? 'malformed', pin: first.pin ?? 'unknown-state' };
}

/** Facts that hold in both readings. */
function bothOf(first: Facts, second: Facts): Facts {
  const kind = kindOfBoth(first.kind, second.kind);
  const pin = first.pin ?? second.pin ?? (kind === 'other' ? 'unknown-state' : null);
  const followUp = first.followUp ?? second.followUp;
  const both = {
    kind,
    pin,
    followUp,
    callsUnknown: first.callsUnknown || second.callsUnknown,
    hint: first.hint ?? second.hint,
  };
  if (first.reason === null) {
    if (second.reason !== null) return { ...both, reason: 'malformed', word: null };
    return both.hint === null ? safeRead : hintedRead;
  }
  const isGraver = second.reason !== null && !readsSession(second.reason);
  const { reason, word } = isGraver && readsSession(first.reason) ? second : first;
  return { ...both, reason, word };
}
