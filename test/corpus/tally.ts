import type { Classifier } from '../../packages/core/src/statement/classifier.ts';
import type { TextReason } from '../../packages/core/src/statement/facts.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import type { Replay } from './replay.ts';
import { explain } from './residual.ts';
import { type Judged, judgeText } from './score.ts';

/** How many of each. */
export type Counts = ReadonlyMap<string, number>;

/** A hazard that the classifier sends to a replica. */
export interface Hazard {
  readonly judged: Judged;
  readonly signals: readonly string[];
  /** What the text cannot show, by name; `undefined` if nobody has found out yet. */
  readonly explanation: string | undefined;
}

/** What a run has found; counts of reads are of distinct texts. */
export interface Figures {
  readonly files: number;
  readonly replayed: number;
  readonly abandoned: number;
  readonly skipped: Counts;
  readonly reads: number;
  /** Reads that the server refused for reasons of its own, by error. */
  readonly failed: Counts;
  /** Reads without an effect whose answer could not be compared, by cause. */
  readonly open: Counts;
  readonly safe: number;
  /** Safe reads that the classifier sends to a replica. */
  readonly toReplica: number;
  /** Safe reads that a rule keeps on the primary, by rule. */
  readonly excluded: Counts;
  /** Safe reads on the primary without such a rule. */
  readonly misses: readonly Judged[];
  readonly hazards: readonly Hazard[];
  /** Hazards that the classifier keeps on the primary, by reason. */
  readonly refused: Counts;
}

/** The share of safe reads that no rule excludes which go to a replica; 1 if there are none. */
export function share({ toReplica, misses }: Figures): number {
  return misses.length === 0 ? 1 : toReplica / (toReplica + misses.length);
}

// One text is judged in many states: what it showed in one of them weighs more than in another.
const weights = { failed: 0, open: 1, safe: 2, hazard: 3 } as const;

/** Adds up replays. */
export class Tally {
  readonly #classifier: Classifier;
  readonly #flavor: Flavor;
  readonly #texts = new Map<string, Judged>();
  readonly #rules = new Map<string, TextReason>();
  readonly #hazards = new Map<string, Hazard>();
  readonly #skipped = new Map<string, number>();
  #files = 0;
  #replayed = 0;
  #abandoned = 0;

  /** @param classifier the one that is judged */
  constructor(flavor: Flavor, classifier: Classifier) {
    this.#flavor = flavor;
    this.#classifier = classifier;
  }

  add({ reads, skipped, replayed, abandoned }: Replay): void {
    this.#files++;
    this.#replayed += replayed;
    this.#abandoned += abandoned;
    for (const [why, count] of Object.entries(skipped)) increase(this.#skipped, why, count);
    for (const read of reads) this.#addRead(judgeText(read, this.#classifier));
  }

  #addRead(judged: Judged): void {
    const { sql, file, verdict } = judged;
    const known = this.#texts.get(sql);
    if (known === undefined || weights[known.verdict.kind] < weights[verdict.kind]) {
      this.#texts.set(sql, judged);
    }
    if (judged.rule !== null) this.#rules.set(sql, judged.rule);
    if (verdict.kind === 'hazard' && judged.facts.reason === null) {
      const explanation = explain(this.#flavor, judged);
      this.#hazards.set(`${file}\n${sql}`, { judged, signals: verdict.signals, explanation });
    }
  }

  figures(): Figures {
    const open = new Map<string, number>();
    const excluded = new Map<string, number>();
    const refused = new Map<string, number>();
    const misses: Judged[] = [];
    const failed = new Map<string, number>();
    let safe = 0;
    let toReplica = 0;
    for (const [sql, judged] of this.#texts) {
      const { facts, verdict } = judged;
      if (verdict.kind === 'failed') increase(failed, verdict.code);
      else if (verdict.kind === 'open') increase(open, verdict.why);
      else if (verdict.kind === 'hazard') {
        if (facts.reason !== null) increase(refused, facts.reason);
      } else {
        safe++;
        const rule = this.#rules.get(sql);
        if (facts.reason === null) toReplica++;
        else if (rule !== undefined) increase(excluded, rule);
        else misses.push(judged);
      }
    }
    return {
      files: this.#files,
      replayed: this.#replayed,
      abandoned: this.#abandoned,
      skipped: this.#skipped,
      reads: this.#texts.size,
      failed,
      open,
      safe,
      toReplica,
      excluded,
      misses,
      hazards: [...this.#hazards.values()],
      refused,
    };
  }
}

function increase(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
