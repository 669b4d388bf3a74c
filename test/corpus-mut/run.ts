import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { Bench } from './bench.ts';
import { replay, type Times } from './replay.ts';
import { openSuite, type Suite } from './suite.ts';
import { type Figures, Tally } from './tally.ts';

export interface RunOptions {
  readonly flavor: Flavor;
  /** How many files to replay, picked by {@link seed}. Default: all. */
  readonly sample?: number;
  readonly seed?: number;
  /** Files with more statements are left out of a sample. Default: no limit. */
  readonly maxStatements?: number;
  /** Part of the names of the files to replay. Default: all. */
  readonly files?: string;
  /** Servers at work at the same time. Default: 1. */
  readonly workers?: number;
  /** Told when a file is done; the figures are those so far. */
  readonly onFile?: (done: number, of: number, figures: () => Figures) => void;
}

/** What a suite holds, before anything is replayed. */
export interface Extent {
  readonly files: number;
  readonly statements: number;
  readonly distinct: number;
  readonly withVariable: number;
}

/** Replays the files of a server's own test suite and adds up what the server showed. */
export async function runCorpus(options: RunOptions): Promise<Figures> {
  const { flavor, workers = 1, onFile = () => {} } = options;
  const suite = await openSuite(flavor);
  const names = choose(suite, options);
  const tally = new Tally(flavor);
  const queue = names.values();
  let done = 0;
  const work = async (): Promise<void> => {
    await using bench = await Bench.open(flavor);
    const times: Times = new Map();
    const classifier = createClassifier({ dialect: flavor });
    for (const name of queue) {
      tally.add(await replay(bench, classifier, suite.expand(name), times));
      onFile(++done, names.length, () => tally.figures());
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return tally.figures();
}

function choose(suite: Suite, options: RunOptions): string[] {
  const { files = '', seed = 1, sample, maxStatements } = options;
  const names = suite.roots.filter((name) => name.includes(files));
  if (sample === undefined) return names;
  const chosen: string[] = [];
  for (const name of shuffle(names, seed)) {
    if (chosen.length === sample) break;
    if (suite.expand(name).length <= (maxStatements ?? Number.POSITIVE_INFINITY)) chosen.push(name);
  }
  return chosen;
}

function shuffle(names: readonly string[], seed: number): string[] {
  const random = randomFrom(seed);
  const drawn = names.map((name): [number, string] => [random(), name]);
  return drawn.sort(([a], [b]) => a - b).map(([, name]) => name);
}

/** Reads all of a suite. */
export async function measureSuite(flavor: Flavor): Promise<Extent> {
  const { files } = await openSuite(flavor);
  const distinct = new Set<string>();
  let statements = 0;
  let withVariable = 0;
  for (const name of files.names) {
    const { steps, withVariable: left } = files.read(name);
    withVariable += left;
    for (const step of steps) {
      if (step.kind !== 'statement') continue;
      statements++;
      distinct.add(step.sql);
    }
  }
  return { files: files.names.length, statements, distinct: distinct.size, withVariable };
}

/** Numbers from 0 to 1, the same ones for the same seed (a linear congruential generator). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
