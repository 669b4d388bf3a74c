import type { Classifier } from '../../packages/core/src/statement/classifier.ts';
import type { Facts, TextReason } from '../../packages/core/src/statement/facts.ts';
import { ruleFor } from './reads.ts';
import type { Read } from './replay.ts';

/** A read with what the classifier says of its text. */
export interface Judged extends Read {
  readonly facts: Facts;
  /** The rule that keeps the read on the primary; `null` if none does. */
  readonly rule: TextReason | null;
}

/** Holds what the server showed of a read against what the classifier says. */
export function judgeText(read: Read, classifier: Classifier): Judged {
  const { sql, functions = [] } = read;
  const facts = classifier.classify(sql);
  const isStored = facts.word !== null && functions.includes(facts.word);
  return { ...read, facts, rule: ruleFor(sql, facts, isStored) };
}
