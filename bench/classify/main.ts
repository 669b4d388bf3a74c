/*
 * What a decision costs. Times are medians of CPU time (user) of this process, so that other work
 * on the machine counts less. Run on a quiet machine: npx tsx bench/classify/main.ts
 */
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import { fingerprint } from '../../packages/core/src/statement/fingerprint.ts';
import { TextJudge } from '../../packages/core/src/statement/judge.ts';
import { Vocabulary } from '../../packages/core/src/statement/vocabulary.ts';
import { largeTexts, plainReads } from './texts.ts';

const ROUNDS = 31;
const TEXTS = 2000;

let sink = 0;

/** CPU time in µs. */
function cpu(run: () => void): number {
  const before = process.cpuUsage();
  run();
  return process.cpuUsage(before).user;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Strings that no one has read yet, as a query builder makes them. */
function freshCopies(text: string): string[] {
  return Array.from({ length: TEXTS }, () => Buffer.from(text, 'latin1').toString('latin1'));
}

/** Median time in µs that `use` takes for one of these texts. */
function timePerText(text: string, use: (text: string) => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const texts = freshCopies(text);
    return cpu(() => texts.forEach(use)) / TEXTS;
  });
  return median(times);
}

function row(...cells: readonly (string | number)[]): void {
  const text = cells.map((cell) =>
    (typeof cell === 'number' ? cell.toFixed(2) : cell).padStart(12),
  );
  console.log(text.join(''));
}

function benchDecisions(): void {
  console.log('µs per decision on a fresh string');
  row('characters', 'scan', 'lex+judge', 'fingerprint', 'known');
  for (const text of plainReads) {
    const judge = new TextJudge(new Vocabulary({ dialect: 'mysql' }));
    const classifier = createClassifier({ dialect: 'mysql' });
    classifier.classify(text);
    classifier.classify(text);
    row(
      String(text.length),
      // A loop that only reads the characters: how fast this machine is just now.
      timePerText(text, (sql) => {
        let hash = 0;
        for (let i = 0; i < sql.length; i++) hash = Math.imul(hash ^ sql.charCodeAt(i), 31);
        sink += hash;
      }),
      timePerText(text, (sql) => {
        sink += judge.judge(sql).kind.length;
      }),
      timePerText(text, () => {
        sink += fingerprint(judge.tokens).low;
      }),
      timePerText(text, (sql) => {
        sink += classifier.classify(sql).kind.length;
      }),
    );
  }
}

function benchLargeTexts(): void {
  console.log('\nms for a text of 1 MiB');
  const judge = new TextJudge(new Vocabulary({ dialect: 'mysql' }));
  for (const [name, text] of Object.entries(largeTexts)) {
    const times = Array.from({ length: 9 }, () => cpu(() => void judge.judge(text)) / 1000);
    row(name.padEnd(28), median(times));
  }
}

function benchMemory(): void {
  console.log('\n100,000 texts with values inside');
  const classifier = createClassifier({ dialect: 'mysql' });
  for (let i = 0; i < 1000; i++) classifier.classify(`SELECT a FROM t WHERE b = 'warm ${i}'`);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const time = cpu(() => {
    for (let i = 0; i < 100_000; i++) {
      sink += classifier.classify(`SELECT a, b FROM t WHERE b = 'value ${i}' AND c = ${i}`).kind
        .length;
    }
  });
  globalThis.gc?.();
  const grown = (process.memoryUsage().heapUsed - before) / 1024;
  row('µs each', time / 100_000, 'KiB grown', grown);
  console.log(classifier.stats());
}

function benchStart(): void {
  console.log('\nstart');
  row('vocabulary', cpu(() => void new Vocabulary({ dialect: 'mysql' })) / 1000, 'ms');
  const classifier = createClassifier({ dialect: 'mysql' });
  row(
    'first read',
    cpu(() => void classifier.classify('SELECT a FROM t WHERE b = 1')) / 1000,
    'ms',
  );
  row(
    'another',
    cpu(() => void classifier.classify('SELECT a, c FROM t WHERE b = 1')) / 1000,
    'ms',
  );
}

benchStart();
benchDecisions();
benchLargeTexts();
benchMemory();
if (sink === 0.5) console.log(sink);
