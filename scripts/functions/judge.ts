import type { ImpureFunction } from '../../packages/core/src/statement/functions/table.ts';
import { impureGroups } from './impure.ts';
import { pureGroups } from './pure.ts';
import { clauseWords, unitWords } from './syntax.ts';

export const judgedPure: ReadonlySet<string> = new Set(
  pureGroups.flatMap((group) => split(group.names)),
);

export const judgedImpure: ReadonlyMap<string, ImpureFunction> = new Map(
  impureGroups.flatMap((group) => split(group.names).map((name) => [name, group.verdict])),
);

/** Whether somebody has decided what a call of this built-in is. */
export function isJudged(name: string): boolean {
  return (
    judgedPure.has(name) || judgedImpure.has(name) || clauseWords.has(name) || unitWords.has(name)
  );
}

/** The words of a list that may run over several lines. */
export function split(words: string): string[] {
  return words.split(/\s+/).filter((word) => word !== '');
}
