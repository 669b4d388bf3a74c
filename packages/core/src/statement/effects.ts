import type { FollowUp, StatePin } from './facts.ts';
import type { Tokens } from './tokens.ts';
import * as token from './tokens.ts';
import * as vocabulary from './vocabulary.ts';

/** What a statement that does not run on a replica leaves in its session, and asks of it. */
export interface Effects {
  readonly pin: StatePin | null;
  readonly followUp: FollowUp | null;
}

/** System variables that answer for an earlier statement of their session. */
const answers: ReadonlyMap<string, FollowUp> = new Map([
  ['identity', 'insert'],
  ['last_insert_id', 'insert'],
  ['warning_count', 'previous'],
  ['error_count', 'previous'],
]);

/**
 * Finds the effects of a statement anywhere in its text. With `accounts`, `@` that touches what
 * stands before it is part of an account, `'user'@'host'`.
 */
export function findEffects(tokens: Tokens, accounts: boolean): Effects {
  let pin: StatePin | null = null;
  let followUp: FollowUp | null = null;
  for (let at = 0; at < tokens.count; at++) {
    const type = tokens.types[at];
    let answer: FollowUp | null = null;
    if (type === token.VARIABLE) {
      if (!accounts || !isAccount(tokens, at)) pin ??= 'user-variable';
    } else if (type === token.SYSTEM_VARIABLE) {
      answer = answers.get(systemVariable(tokens, at)) ?? null;
    } else if (type === token.WORD && (tokens.flags(at) & vocabulary.IMPURE) !== 0) {
      const effects = effectsOfCall(tokens, at);
      pin ??= effects?.pin ?? null;
      answer = effects?.followUp ?? null;
    }
    if (answer !== null && followUp !== 'previous') followUp = answer;
  }
  return { pin, followUp };
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
    return { pin: 'session-variable', followUp: null };
  }
  const impure = tokens.vocabulary.impure.get(word);
  return { pin: impure?.pin ?? null, followUp: impure?.followUp ?? null };
}
