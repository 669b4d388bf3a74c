import type { ImpureFunction } from '../../packages/core/src/statement/functions/table.ts';
import { impureGroups } from './impure.ts';
import { pureGroups } from './pure.ts';
import { clauseWords, unitWords } from './syntax.ts';

export const judgedPure: ReadonlySet<string> = new Set(
  pureGroups.flatMap((group) => split(group.names)),
);

export const judgedImpure: ReadonlyMap<string, ImpureFunction> = new Map(
  impureGroups.flatMap(({ names, verdict }) => split(names).map((name) => [name, verdict])),
);

/** Every name that somebody has decided about, as often as somebody did. */
export const judgedNames: readonly string[] = [
  ...[...pureGroups, ...impureGroups].flatMap((group) => split(group.names)),
  ...split(clauseWords),
  ...split(unitWords),
];

const judged: ReadonlySet<string> = new Set(judgedNames);

export function isJudged(name: string): boolean {
  return judged.has(name);
}

/** The words of a list that may run over several lines. */
export function split(words: string): string[] {
  return words.split(/\s+/).filter((word) => word !== '');
}
