import type { Bench } from './bench.ts';
import type { Judge, Verdict } from './judge.ts';
import { looksLikeRead } from './reads.ts';
import { whySkipped } from './skip.ts';
import type { Statement } from './suite.ts';

/** One read, judged once by the server; the classifier has no part in it. */
export interface Read extends Statement {
  readonly verdict: Verdict;
  /** Words of the text that name a stored function, in lower case. */
  readonly functions?: readonly string[];
}

/** What became of one test file. */
export interface Replay {
  readonly reads: readonly Read[];
  /** Statements that were not replayed, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly replayed: number;
  /** Statements left when the time was up. */
  readonly abandoned: number;
}

const longestFileMs = 60_000;
/** A read is judged this often in its file, wherever that is included: what it reads changes. */
const timesPerRead = 4;

/** How often each read has been judged. */
export type Times = Map<string, number>;

/**
 * Replays statements in order and judges the reads among them.
 *
 * @param onRead is told of each read in the state that the server was judged in.
 */
export async function replay(
  bench: Bench,
  statements: readonly Statement[],
  times: Times,
  onRead: (read: Read) => Promise<void> = async () => {},
): Promise<Replay> {
  const reads: Read[] = [];
  const skipped: Record<string, number> = {};
  const until = performance.now() + longestFileMs;
  let judge = await bench.judge();
  let replayed = 0;
  for (const statement of statements) {
    if (performance.now() > until) break;
    const { sql } = statement;
    const why = whySkipped(sql);
    replayed++;
    if (why !== undefined) {
      skipped[why] = (skipped[why] ?? 0) + 1;
      continue;
    }
    if (judge.isLost) {
      judge.close();
      judge = await bench.judge();
    }
    if (looksLikeRead(sql) && isDue(times, statement)) {
      reads.push(await judgeOne(bench, judge, statement, onRead));
    } else {
      await judge.replay(sql);
      bench.note(sql);
    }
  }
  judge.close();
  return { reads, skipped, replayed, abandoned: statements.length - replayed };
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
  statement: Statement,
  onRead: (read: Read) => Promise<void>,
): Promise<Read> {
  const { sql } = statement;
  const verdict = await judge.judge(sql);
  const functions = verdict.kind === 'safe' ? await bench.functionsIn(sql) : [];
  const read = { ...statement, verdict, ...(functions.length === 0 ? {} : { functions }) };
  await onRead(read);
  // What a read-only transaction refused is part of the test.
  if (verdict.kind === 'hazard' && verdict.signals.includes('writes')) await judge.replay(sql);
  return read;
}
