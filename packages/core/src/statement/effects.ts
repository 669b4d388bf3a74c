import { type Answer, answers, type StatePin } from './facts.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import * as vocabulary from './vocabulary.ts';

/** What a statement that does not run on a replica leaves in its session, and asks of it. */
export interface Effects {
  readonly pin: StatePin | null;
  readonly asks: readonly Answer[];
}

/** Asks for nothing: what most statements do. */
export const asksNothing: readonly Answer[] = Object.freeze([]);

/** Every set of answers, by its bits: facts of all texts share them. */
const sets: readonly (readonly Answer[])[] = Array.from(
  { length: 1 << answers.length },
  (_, set) =>
    set === 0 ? asksNothing : Object.freeze(answers.filter((_, bit) => set & (1 << bit))),
);

function setOf(asks: readonly Answer[]): number {
  return asks.reduce((set, answer) => set | (1 << answers.indexOf(answer)), 0);
}

/** What either of two asks for. */
export function allAnswers(first: readonly Answer[], second: readonly Answer[]): readonly Answer[] {
  return sets[setOf(first) | setOf(second)] ?? answers;
}

/** What a statement that asks for this alone asks for. */
export const asksDiagnostics = allAnswers(['diagnostics'], asksNothing);

/** System variables that answer for an earlier statement of their session. */
const variables: ReadonlyMap<string, readonly Answer[]> = new Map([
  ['identity', ['insert-id']],
  ['last_insert_id', ['insert-id']],
  ['warning_count', ['diagnostics']],
  ['error_count', ['diagnostics']],
]);

/**
 * Finds the effects of a statement anywhere in its text. With `accounts`, `@` that touches what
 * stands before it is part of an account, `'user'@'host'`.
 */
export function findEffects(tokens: Tokens, accounts: boolean): Effects {
  let pin: StatePin | null = null;
  let asks = asksNothing;
  for (let at = 0; at < tokens.count; at++) {
    const type = tokens.types[at];
    if (type === token.VARIABLE) {
      if (!accounts || !isAccount(tokens, at)) pin = lasting(pin, 'user-variable');
    } else if (type === token.SYSTEM_VARIABLE) {
      const answer = variables.get(systemVariable(tokens, at));
      if (answer !== undefined) asks = allAnswers(asks, answer);
    } else if (type === token.WORD && (tokens.flags(at) & vocabulary.IMPURE) !== 0) {
      const effects = effectsOfCall(tokens, at);
      if (effects === null) continue;
      pin = lasting(pin, effects.pin);
      if (effects.asks.length > 0) asks = allAnswers(asks, effects.asks);
    }
  }
  return { pin, asks };
}

/** Of two pins the one that no statement frees: user locks can be released while the other stays. */
export function lasting(first: StatePin | null, second: StatePin | null): StatePin | null {
  return first === null || (first === 'user-lock' && second !== null) ? second : first;
}

function isAccount(tokens: Tokens, at: number): boolean {
  const before = tokens.type(at - 1);
  return before >= token.WORD && before <= token.DOUBLE_QUOTED && tokens.touchesNext(at - 1);
}

/** Name behind `@@`, `@@session.` and the like; empty if there is none. */
function systemVariable(tokens: Tokens, at: number): string {
  const scoped = tokens.type(at + 2) === token.PERIOD;
  return tokens.word(scoped ? at + 3 : at + 1);
}

function effectsOfCall(tokens: Tokens, at: number): Effects | null {
  if (tokens.type(at + 1) !== token.OPEN) return null;
  const word = tokens.word(at);
  // With an argument it sets what the next call without one answers.
  if (word === 'last_insert_id' && tokens.type(at + 2) !== token.CLOSE) {
    return { pin: 'session-variable', asks: asksNothing };
  }
  const { pin = null, asks } = tokens.vocabulary.impure.get(word) ?? {};
  return { pin, asks: asks === undefined ? asksNothing : [asks] };
}
