import { isPlainXpath, judgeCount, judgeParenthesis } from './calls.ts';
import type { TextReason } from './facts.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import type { Refusal } from './verdicts.ts';
import * as vocabulary from './vocabulary.ts';
import { judgeName, judgeWord } from './words.ts';

// Constants of this module: see lexer.ts.
const {
  ASSIGN,
  CLOSE,
  COMMA,
  DOUBLE_QUOTED,
  NAME,
  NAME_PLACEHOLDER,
  NUMBER,
  OPEN,
  PERIOD,
  PLACEHOLDER,
  QUOTED,
  SYSTEM_VARIABLE,
  VARIABLE,
  WORD,
} = token;
const { COUNTED, NEEDS_RULE, QUERY_WORD, TYPE_WORD, XPATH } = vocabulary;

/** Deeper than any server parses. */
const MAX_DEPTH = 1024;

/**
 * Judges the tokens of a text that begins like a read: every one must be harmless. Stateless but
 * for buffers that are used again.
 */
export class ReadJudge {
  /** Token that opened each enclosing parenthesis. */
  readonly #openers = new Int32Array(MAX_DEPTH + 1);
  /** XPATH if the first comma in that parenthesis leads to an XPath, COUNTED if all commas count. */
  readonly #watched = new Uint32Array(MAX_DEPTH + 1);
  /** Commas in that parenthesis, and whether a placeholder stands in it, if it is watched. */
  readonly #commas = new Uint32Array(MAX_DEPTH + 1);
  readonly #bound = new Uint8Array(MAX_DEPTH + 1);

  /**
   * Judges the read that begins at token `from`; `null` if it may run on a replica. That it reads the
   * session is the reason only if there is no other.
   */
  judge(tokens: Tokens, from: number): Refusal | null {
    const { types, entries, count } = tokens;
    const { flags } = tokens.vocabulary;
    let depth = 0;
    let refusal: Refusal | null = null;
    let mild: Refusal | null = null;
    for (let at = from; at < count; at++) {
      switch (types[at]) {
        case WORD:
          if (((flags[entries[at] as number] as number) & NEEDS_RULE) !== 0) {
            refusal = judgeWord(tokens, at, this.#opener(depth), from);
          }
          break;
        case NAME:
        case QUOTED:
        case DOUBLE_QUOTED:
          if (entries[at] !== 0) refusal = judgeName(tokens, at);
          break;
        case OPEN:
          if (depth === MAX_DEPTH) return { reason: 'unrecognised', word: null };
          refusal = judgeParenthesis(tokens, at, from);
          this.#enter(tokens, at, ++depth);
          break;
        case CLOSE:
          if (depth === 0) return { reason: 'malformed', word: null };
          if (this.#watched[depth] !== 0) refusal = this.#judgeCall(tokens, at, depth);
          depth--;
          break;
        case COMMA:
          if (depth > 0 && this.#watched[depth] !== 0) refusal = this.#comma(tokens, at, depth);
          break;
        case PLACEHOLDER:
        case NAME_PLACEHOLDER:
          refusal = judgePlaceholder(tokens, at);
          this.#bound[depth] = 1;
          break;
        case VARIABLE:
          return { reason: 'user-variable', word: variableName(tokens, at) };
        case SYSTEM_VARIABLE:
          refusal = { reason: 'system-variable', word: variableName(tokens, at) };
          break;
        case ASSIGN:
          return { reason: 'user-variable', word: null };
      }
      if (refusal !== null) {
        if (!readsSession(refusal.reason)) return refusal;
        mild ??= refusal;
        refusal = null;
      }
    }
    return depth === 0 ? mild : { reason: 'malformed', word: null };
  }

  #opener(depth: number): number {
    return depth === 0 ? -1 : (this.#openers[depth] as number);
  }

  #enter(tokens: Tokens, open: number, depth: number): void {
    this.#openers[depth] = open;
    const called = open > 0 && tokens.type(open - 1) === WORD;
    const watched = called ? tokens.flags(open - 1) & (XPATH | COUNTED) : 0;
    this.#watched[depth] = watched;
    if (watched === 0) return;
    this.#commas[depth] = 0;
    this.#bound[depth] = 0;
  }

  #comma(tokens: Tokens, comma: number, depth: number): Refusal | null {
    const commas = (this.#commas[depth] as number) + 1;
    this.#commas[depth] = commas;
    if (this.#watched[depth] !== XPATH || commas > 1 || isPlainXpath(tokens, comma + 1))
      return null;
    return { reason: 'user-variable', word: tokens.word(this.#opener(depth) - 1) };
  }

  #judgeCall(tokens: Tokens, close: number, depth: number): Refusal | null {
    const open = this.#opener(depth);
    const commas = this.#commas[depth] as number;
    const bound = this.#bound[depth] === 1;
    if (this.#watched[depth] !== XPATH) return judgeCount(tokens, open, close, commas, bound);
    // A list in place of its first argument may hold the XPath.
    const least = tokens.is(open - 1, 'updatexml') ? 2 : 1;
    const hidden = bound && commas < least;
    return hidden ? { reason: 'user-variable', word: tokens.word(open - 1) } : null;
  }
}

/** Whether a text that is refused for nothing else only reads its session, but for what it pins. */
export function readsSession(reason: TextReason): boolean {
  return reason === 'session-function' || reason === 'system-variable';
}

/** What a function may do at worst. */
type Call = 'pure' | 'unsafe' | 'writing' | 'unknown';

/**
 * Built-in functions and words that change data: those of MariaDB's sequences, and DEFAULT(), which
 * advances one (measured). Others lock, wait, or tell of one server.
 */
export const writingFunctions: ReadonlySet<string | null> = new Set([
  'default',
  'next',
  'nextval',
  'setval',
]);

/**
 * The worst that is called behind token `from`, perhaps by a view: a built-in function that acts, one
 * that changes data, or a stored or loadable one, which may do anything.
 */
export function worstCall(tokens: Tokens, from: number): Call {
  let worst: Call = 'pure';
  for (let at = from; at < tokens.count; at++) {
    if (tokens.flags(at) & vocabulary.UNSAFE_TABLE) return 'unknown';
    if (tokens.type(at) !== token.OPEN) continue;
    const refusal = judgeParenthesis(tokens, at, from) ?? judgeCounted(tokens, at, from);
    if (refusal?.reason === 'unknown-function') return 'unknown';
    if (refusal?.reason === 'unsafe-function' && worst !== 'writing') {
      worst = writingFunctions.has(refusal.word) ? 'writing' : 'unsafe';
    }
  }
  return worst;
}

/** Tokens of the arguments that are counted outside of {@link ReadJudge}. */
const MAX_ARGUMENTS = 256;

/** Judges the number of arguments in the parenthesis at `open`; too many tokens count as too many. */
function judgeCounted(tokens: Tokens, open: number, from: number): Refusal | null {
  if (open === from || (tokens.flags(open - 1) & COUNTED) === 0) return null;
  let commas = 0;
  let depth = 0;
  let bound = false;
  for (let at = open + 1; at <= open + MAX_ARGUMENTS; at++) {
    const type = tokens.type(at);
    if (type === CLOSE && depth-- === 0) return judgeCount(tokens, open, at, commas, bound);
    if (type === OPEN) depth++;
    else if (depth > 0) continue;
    else if (type === COMMA) commas++;
    else if (type === PLACEHOLDER || type === NAME_PLACEHOLDER) bound = true;
  }
  return { reason: 'unknown-function', word: tokens.word(open - 1) };
}

const MAY_PRECEDE_VALUE = QUERY_WORD | TYPE_WORD;

/**
 * A list in a list becomes `(1, 2)`, and nothing at all an empty one: behind a name, or another
 * placeholder that may become one, that would make or leave a call, beside a point a qualified
 * name.
 */
function judgePlaceholder(tokens: Tokens, at: number): Refusal | null {
  const before = tokens.type(at - 1);
  const isName = tokens.type(at) === NAME_PLACEHOLDER;
  const afterName =
    before === WORD
      ? (tokens.flags(at - 1) & MAY_PRECEDE_VALUE) === 0 || tokens.type(at - 2) === PERIOD
      : before > WORD && before <= NAME_PLACEHOLDER && before !== NUMBER;
  const besidePoint = before === PERIOD || tokens.type(at + 1) === PERIOD;
  const doubtful = afterName || (besidePoint && !isName);
  return doubtful ? { reason: 'malformed', word: '?' } : null;
}

function variableName(tokens: Tokens, at: number): string | null {
  return tokens.word(at + 1) || null;
}
