import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { Bench } from './bench.ts';
import { replay, type Times } from './replay.ts';
import { expand, readSuite, type Suite } from './suite.ts';
import { type Figures, Tally } from './tally.ts';

export interface RunOptions {
  readonly flavor: Flavor;
  /** How many files to replay, picked by {@link seed}. Default: all. */
  readonly sample?: number;
  readonly seed?: number;
  /** Files with more statements are left out. Default: no limit. */
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
export async function runCorpus(options: RunOptions): Promise<Figures & { extent: Extent }> {
  const { flavor, workers = 1, onFile = () => {} } = options;
  const suite = await readSuite(flavor);
  const names = choose(suite, options);
  const tally = new Tally(flavor);
  const queue = names.values();
  let done = 0;
  const work = async (): Promise<void> => {
    await using bench = await Bench.open(flavor);
    const times: Times = new Map();
    const classifier = createClassifier({ dialect: flavor });
    for (const name of queue) {
      tally.add(await replay(bench, classifier, expand(suite, name), times));
      onFile(++done, names.length, () => tally.figures());
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return { ...tally.figures(), extent: extentOf(suite) };
}

function choose(suite: Suite, options: RunOptions): string[] {
  const { files = '', sample = Number.POSITIVE_INFINITY, seed = 1 } = options;
  const { maxStatements = Number.POSITIVE_INFINITY } = options;
  const random = randomFrom(seed);
  return suite.roots
    .filter((name) => name.includes(files))
    .map((name): [number, string] => [random(), name])
    .sort(([a], [b]) => (Number.isFinite(sample) ? a - b : 0))
    .map(([, name]) => name)
    .filter((name) => expand(suite, name).length <= maxStatements)
    .slice(0, sample);
}

function extentOf({ files }: Suite): Extent {
  const distinct = new Set<string>();
  let statements = 0;
  let withVariable = 0;
  for (const file of files.values()) {
    withVariable += file.withVariable;
    for (const step of file.steps) {
      if (step.kind !== 'statement') continue;
      statements++;
      distinct.add(step.sql);
    }
  }
  return { files: files.size, statements, distinct: distinct.size, withVariable };
}

/** Numbers from 0 to 1, the same ones for the same seed (a linear congruential generator). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
