import { onlyAsks } from '../session/question.ts';
import type { SessionState } from '../session/state.ts';
import type { Answer, Facts } from '../statement/facts.ts';
import type { Role } from './reasons.ts';

/** Why what a statement asks about earlier ones cannot be answered. */
export interface Unanswerable {
  readonly answer: Answer;
  /**
   * `'unknown'`: no connection at hand has the answer. `'replica'`: a replica's connection has it, and
   * the statement is none that may run there.
   */
  readonly why: 'unknown' | 'replica';
}

/** What a follow-up depends on. */
export interface FollowUpSituation {
  readonly facts: Facts;
  readonly state: SessionState;
  /** Role of the host whose connection the session holds; `null` if it holds none. */
  readonly held: Role | null;
  /** Whether a definition has changed, and what it hides is not known yet. */
  readonly isCatalogueBehind: boolean;
}

/** What a statement asks for and would get from somebody else's statements; `null`: nothing. */
export function unanswerable(situation: FollowUpSituation): Unanswerable | null {
  const { facts, state, held } = situation;
  const unknown = facts.asks.find((answer) => held === null || !mayAnswer(state, answer));
  if (unknown !== undefined) {
    return { answer: unknown, why: 'unknown' };
  }
  const [answer] = facts.asks;
  const isStray = held === 'replica' && (!onlyAsks(facts) || situation.isCatalogueBehind);
  return answer !== undefined && isStray ? { answer, why: 'replica' } : null;
}

function mayAnswer(state: SessionState, answer: Answer): boolean {
  return state.answers.includes(answer) || (answer === 'insert-id' && state.mayHaveInserted);
}
