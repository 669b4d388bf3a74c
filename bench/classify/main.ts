/*
 * What a decision costs: the bars for classification, each with its figure and the median of it.
 * A figure is the least of all rounds but a tenth, which is what a quiet machine would show.
 */
import { loadavg } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import { TextJudge } from '../../packages/core/src/statement/judge.ts';
import { Vocabulary } from '../../packages/core/src/statement/vocabulary.ts';
import { cpu, fresh, median, quantile, row, scan, sink, verdict } from './measure.ts';
import { isBuilt, startCosts } from './start.ts';
import { largeTexts, plainReads } from './texts.ts';
import { findWorstLexing } from './worst-lexing.ts';
import { findWorstParsing } from './worst-parsing.ts';

const ROUNDS = 41;
const TEXTS = 500;
/** µs for a text of about 130, 540 and 2,000 characters. */
const decisionBars = [0.6, 2.2, 7.5];
/** ms that a text of 1 MiB may block the event loop. */
const largeBar = 20;
/** ms that the parser may take, once for each fingerprint. */
const parserBar = 30;
const seed = Number(process.argv[2] ?? 1);

function benchDecisions(): void {
  console.log('µs for a decision on a string that no one has read yet');
  console.log(
    '  known: its text came before; new: it did not, so it is lexed. scan: reads it only.',
  );
  row('characters', 'bar', 'known', 'median', 'new', 'median', 'scan', 'new/scan', 'bar is');
  plainReads.forEach((read, i) => {
    const bar = decisionBars[i] ?? Number.NaN;
    const { known, unknown, scanned } = timeDecision(read);
    const ratio = median(unknown) / median(scanned);
    const cheaper = Math.min(quantile(known, 0.1), quantile(unknown, 0.1));
    row(
      String(read(0).length),
      bar,
      ...[known, unknown].flatMap((times) => [quantile(times, 0.1), median(times)]),
      quantile(scanned, 0.1),
      ratio,
      verdict(cheaper, bar),
    );
  });
}

/** Times in µs, one for each round; the rounds of the three take turns. */
function timeDecision(read: (value: number) => string) {
  const classifier = createClassifier({ dialect: 'mysql' });
  const classify = (text: string) => {
    sink.value += classifier.classify(text).kind.length;
  };
  const times = { known: [] as number[], unknown: [] as number[], scanned: [] as number[] };
  for (let time = 0; time < 3; time++) classify(read(0));
  for (let round = 0; round < ROUNDS; round++) {
    const same = () => Array.from({ length: TEXTS }, () => fresh(read(0)));
    const others = Array.from({ length: TEXTS }, (_, i) => fresh(read(1 + round * TEXTS + i)));
    times.known.push(timeEach(same(), classify));
    times.unknown.push(timeEach(others, classify));
    times.scanned.push(timeEach(same(), scan));
  }
  return times;
}

function timeEach(texts: readonly string[], use: (text: string) => void): number {
  return cpu(() => texts.forEach(use)) / texts.length;
}

function benchLargeTexts(): void {
  console.log('\nms for a text of 1 MiB');
  row('text', 'bar', 'least', 'median', 'scan', 'bar is');
  const judge = new TextJudge(new Vocabulary({ dialect: 'mysql' }));
  for (const [name, text] of Object.entries(largeTexts)) {
    const copy = fresh(text);
    const times = Array.from({ length: 11 }, () => cpu(() => void judge.judge(copy)) / 1000);
    const scanned = Array.from({ length: 3 }, () => cpu(() => scan(copy)) / 1000);
    const least = quantile(times, 0.1);
    row(name, largeBar, least, median(times), median(scanned), verdict(least, largeBar));
  }
  console.log(`\nthe worst of 1 MiB that a search finds (seed ${seed}), ms`);
  row('', 'bar', 'median', 'growth', 'bar is');
  for (const { text, time, growth } of findWorstLexing(seed, 12, 60)) {
    row(shown(text), largeBar, time, growth, verdict(time, largeBar));
  }
}

function benchParser(): void {
  for (const dialect of ['mysql', 'mariadb'] as const) {
    console.log(`\nthe worst for the parser of ${dialect} that a search finds (seed ${seed}), ms`);
    row('', 'bar', 'least', 'characters', 'bar is');
    for (const { text, time } of findWorstParsing(dialect, seed, 8, 100)) {
      row(shown(text), parserBar, time, String(text.length), verdict(time, parserBar));
    }
  }
}

/** A text in a table: in a line of its own if need be. */
function shown(text: string): string {
  const short = text.length > 150 ? `${text.slice(0, 100)} … ${text.slice(-50)}` : text;
  const quoted = JSON.stringify(short);
  return quoted.length > 29 ? `${quoted}\n${' '.repeat(30)}` : quoted;
}

function benchMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const classifier = createClassifier({ dialect: 'mysql' });
  const classify = (i: number) => {
    const sql = `SELECT a, b FROM t WHERE b = 'value ${i}' AND c = ${i}`;
    sink.value += classifier.classify(sql).kind.length;
  };
  for (let i = 0; i < 5000; i++) classify(-i);
  collect();
  const before = process.memoryUsage().heapUsed;
  const time = cpu(() => {
    for (let i = 0; i < 100_000; i++) classify(i);
  });
  collect();
  const grown = (process.memoryUsage().heapUsed - before) / 1024;
  const { texts, characters, parsed } = classifier.stats();
  console.log('\n100,000 texts with values inside');
  row('', 'µs each', 'KiB grown', 'texts kept', 'characters', 'parsed');
  row('', time / 100_000, grown, String(texts), String(characters), String(parsed));
}

function benchStart(): void {
  console.log('\nwhat a fresh process pays');
  if (!isBuilt()) {
    console.log('  build the core first: npm run build');
    return;
  }
  row('', 'ms', 'KiB heap');
  for (const [what, { time, heap }] of startCosts(9)) row(what, time, heap);
}

console.log(`load of this machine: ${loadavg()[0]?.toFixed(1)}\n`);
benchDecisions();
benchLargeTexts();
benchParser();
benchMemory();
benchStart();
if (sink.value === 0.5) console.log(sink);
