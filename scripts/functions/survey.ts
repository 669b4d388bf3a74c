import {
  type ArgumentCounts,
  type FunctionTable,
  versionNumber,
} from '../../packages/core/src/statement/functions/table.ts';
import { findSafeCounts } from './counts.ts';
import { type Existence, findFunctions } from './existence.ts';
import { type Effort, findHijacks, type Hijack } from './hijack.ts';
import { isJudged, judgedImpure, judgedPure, split } from './judge.ts';
import { mereKeywords } from './pure.ts';
import { findTails, type Tail } from './samples.ts';
import type { Server } from './server.ts';
import { type VersionDifference, versionDifferences } from './versions.ts';

/** What one server says about functions. */
export interface Survey {
  readonly dialect: FunctionTable['dialect'];
  readonly version: string;
  /** The server's own functions and keywords, by name. */
  readonly known: ReadonlyMap<string, Existence>;
  /** A call of each pure function that the server accepts. */
  readonly tails: ReadonlyMap<string, Tail>;
  /** Which spellings of each pure function run a stored function instead. */
  readonly hijacks: ReadonlyMap<string, Hijack>;
  /** Of those that always do: the numbers of arguments with which they never do. */
  readonly safeCounts: ReadonlyMap<string, ArgumentCounts>;
}

/** Asks a server about all candidates. */
export async function surveyServer(
  server: Server,
  candidates: Iterable<string>,
  effort: Effort,
): Promise<Survey> {
  const { dialect, version } = server;
  const known = await findFunctions(server, candidates);
  const notFunctions = new Set(split(mereKeywords[dialect]));
  const pure = [...known.keys()].filter((name) => judgedPure.has(name) && !notFunctions.has(name));
  const tails = await findTails(server, pure);
  const hijacks = await findHijacks(server, [...tails.keys()], effort, tails);
  const shadowed = pure.filter((name) => hijacks.get(name) === 'always');
  const safeCounts = await findSafeCounts(server, shadowed);
  return { dialect, version, known, tails, hijacks, safeCounts };
}

/** What must be decided by a person before there can be a table. */
export function problems({ dialect, known, tails }: Survey): string[] {
  const unjudged = [...known]
    .filter(([name, answer]) => answer === 'built-in' && !isJudged(name))
    .map(([name]) => `${name}: a built-in function that neither pure.ts nor impure.ts names`);
  const notFunctions = new Set(split(mereKeywords[dialect]));
  const uncalled = [...known.keys()]
    .filter((name) => judgedPure.has(name) && !tails.has(name) && !notFunctions.has(name))
    .map((name) => `${name}: judged pure, but no call of it in samples.ts works`);
  return [...unjudged, ...uncalled].sort();
}

/** What is judged pure and proven to be built in, and what is judged impure and exists. */
export function toTable(survey: Survey): FunctionTable {
  const { dialect, version, known, hijacks, safeCounts } = survey;
  const withVerdict = (verdict: Hijack) =>
    [...hijacks.keys()].filter((name) => hijacks.get(name) === verdict);
  const impure = [...judgedImpure].filter(([name]) => known.has(name));
  return {
    dialect,
    version,
    pure: [...withVerdict('never'), ...safeCounts.keys()].sort().join(' '),
    touching: withVerdict('with-gap').sort().join(' '),
    counted: Object.fromEntries([...safeCounts].sort()),
    impure: Object.fromEntries(impure.sort(([one], [other]) => (one < other ? -1 : 1))),
    since: differences(dialect, 'since'),
    until: differences(dialect, 'until'),
  };
}

/** The documented differences of other versions, by version as a number. */
export function differences(
  dialect: FunctionTable['dialect'],
  change: VersionDifference['change'],
): Record<number, string> {
  const names = new Map<number, string[]>();
  for (const difference of versionDifferences) {
    if (difference.dialect !== dialect || difference.change !== change) continue;
    const version = versionNumber(difference.version);
    names.set(version, [...(names.get(version) ?? []), ...split(difference.names)].sort());
  }
  return Object.fromEntries([...names].map(([version, each]) => [version, each.join(' ')]));
}
