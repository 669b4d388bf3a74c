import type { Classifier } from '../../packages/core/src/statement/classifier.ts';
import type { Facts } from '../../packages/core/src/statement/facts.ts';
import type { Bench } from './bench.ts';
import type { Judge, Verdict } from './judge.ts';
import { isExcluded, looksLikeRead } from './reads.ts';
import { whySkipped } from './skip.ts';
import type { Statement } from './suite.ts';

/** One read, judged once. */
export interface Judged extends Statement {
  readonly facts: Facts;
  readonly verdict: Verdict;
  /** For a safe read that stays on the primary: whether a rule says so. */
  readonly excluded: boolean;
}

/** What became of one test file. */
export interface Replay {
  readonly judged: readonly Judged[];
  /** Statements that were not replayed, by reason. */
  readonly skipped: ReadonlyMap<string, number>;
  readonly replayed: number;
  /** Statements left when the time was up. */
  readonly abandoned: number;
}

const longestFileMs = 60_000;
/** A read is judged this often in its file, wherever that is included: what it reads changes. */
const timesPerRead = 4;

/** How often each read has been judged. */
export type Times = Map<string, number>;

/** Replays statements in order and judges the reads among them. */
export async function replay(
  bench: Bench,
  classifier: Classifier,
  statements: readonly Statement[],
  times: Times,
): Promise<Replay> {
  const judged: Judged[] = [];
  const skipped = new Map<string, number>();
  const until = performance.now() + longestFileMs;
  let judge = await bench.judge();
  let replayed = 0;
  for (const statement of statements) {
    if (performance.now() > until) break;
    const { sql } = statement;
    const why = whySkipped(sql);
    replayed++;
    if (why !== undefined) {
      skipped.set(why, (skipped.get(why) ?? 0) + 1);
      continue;
    }
    if (judge.isLost) {
      judge.close();
      judge = await bench.judge();
    }
    if (looksLikeRead(sql) && isDue(times, statement)) {
      judged.push(await judgeOne(bench, judge, classifier, statement));
    } else {
      await judge.replay(sql);
    }
  }
  judge.close();
  return { judged, skipped, replayed, abandoned: statements.length - replayed };
}

function isDue(times: Times, { file, sql }: Statement): boolean {
  const key = `${file}\n${sql}`;
  const time = (times.get(key) ?? 0) + 1;
  times.set(key, time);
  return time <= timesPerRead;
}

async function judgeOne(
  bench: Bench,
  judge: Judge,
  classifier: Classifier,
  statement: Statement,
): Promise<Judged> {
  const { sql } = statement;
  const facts = classifier.classify(sql);
  const verdict = await judge.judge(sql);
  // What a read-only transaction refused is part of the test.
  if (verdict.kind === 'hazard' && verdict.signals.includes('writes')) await judge.replay(sql);
  const { word } = facts;
  const asks = verdict.kind === 'safe' && facts.reason === 'unknown-function' && word !== null;
  const isStored = asks && (await bench.hasFunction(word));
  return { ...statement, facts, verdict, excluded: isExcluded(sql, facts, isStored) };
}
