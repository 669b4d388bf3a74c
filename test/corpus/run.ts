import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { Bench } from './bench.ts';
import { suiteVersion } from './fetch.ts';
import { type Heading, type Recording, readHeading, readRecording } from './recording.ts';
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
  /** Takes what the server showed, and knows which files are done. Default: none. */
  readonly recording?: Recording;
  /** Told when a file is done. */
  readonly onFile?: (done: number, of: number) => void;
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
  const { flavor, workers = 1, recording, onFile = () => {} } = options;
  const suite = await openSuite(flavor);
  const names = choose(suite, options);
  const tally = new Tally(flavor, createClassifier({ dialect: flavor }));
  const queue = names.filter((name) => !recording?.done.has(name)).values();
  const times: Times = new Map();
  let done = recording?.done.size ?? 0;
  const work = async (): Promise<void> => {
    await using bench = await Bench.open(flavor);
    for (const root of queue) {
      const replayed = await replay(bench, suite.expand(root), times);
      recording?.add({ root, ...replayed });
      tally.add(replayed);
      onFile(++done, names.length);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return tally.figures();
}

/** What a complete run of this server's suite is a run of. */
export async function headingOf(flavor: Flavor): Promise<Heading> {
  const [suite, version] = await Promise.all([openSuite(flavor), suiteVersion(flavor)]);
  await using bench = await Bench.open(flavor);
  return {
    flavor,
    server: await bench.version(),
    suite: version,
    files: suite.roots.length,
    day: new Date().toISOString().slice(0, 10),
  };
}

/** Adds up what a server showed in an earlier run. */
export async function scoreRecording(path: string): Promise<Figures> {
  const { flavor } = await readHeading(path);
  const tally = new Tally(flavor, createClassifier({ dialect: flavor }));
  for await (const file of readRecording(path)) tally.add(file);
  return tally.figures();
}

function choose(suite: Suite, options: RunOptions): string[] {
  const { files = '', seed = 1, sample, maxStatements } = options;
  // A run that is cut off is a sample.
  const names = shuffle(
    suite.roots.filter((name) => name.includes(files)),
    seed,
  );
  if (sample === undefined) return names;
  const chosen: string[] = [];
  for (const name of names) {
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
