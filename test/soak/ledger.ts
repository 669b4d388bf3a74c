import type { Cluster } from '../support/servers/cluster.ts';

/** What this process knows of a write: 0 stands for an id that was never used. */
const fates = { open: 1, acknowledged: 2, refused: 3, unknown: 4 } as const;

/** One of {@link fates}. */
export type Fate = keyof typeof fates;

/** So many writes find place: ten minutes have a tenth of it. */
const capacity = 4_000_000;
const samples = 5;
const batch = 20_000;

/** What the servers say of all writes, and how many there were. */
export interface Verdict {
  readonly counts: Readonly<Record<Fate, number>>;
  /** Of the unknown ones. */
  readonly unknownButThere: number;
  /** In words; empty if all is as it was told. */
  readonly problems: readonly string[];
}

/** Every write of a run by its id. Outside the heap, whose size is measured. */
export class Ledger {
  readonly #fates = new Uint8Array(capacity);
  #last = 0;

  /** The id for a new write. */
  next(): number {
    this.#last += 1;
    if (this.#last >= capacity) throw new Error(`the ledger holds ${capacity} writes`);
    this.#fates[this.#last] = fates.open;
    return this.#last;
  }

  note(ids: readonly number[], fate: Fate): void {
    for (const id of ids) this.#fates[id] = fates[fate];
  }

  /** An acknowledged write among the last ones; `null`: there is none. */
  recent(back: number): number | null {
    for (let id = this.#last - back; id > 0; id--) {
      if (this.#fates[id] === fates.acknowledged) return id;
    }
    return null;
  }

  /** Compares with what the primary holds. */
  async verify({ primary, database }: Pick<Cluster, 'primary' | 'database'>): Promise<Verdict> {
    const there = new Uint8Array(this.#last + 1);
    const problems = new Map<string, number[]>();
    const blame = (problem: string, id: number) => {
      problems.set(problem, [...(problems.get(problem) ?? []), id]);
    };
    for (let from = 1; from <= this.#last; from += batch) {
      const rows = await primary.query<{ id: number; n: number }>(
        `SELECT id, COUNT(*) AS n FROM ${database}.entry WHERE id BETWEEN ? AND ? GROUP BY id`,
        [from, from + batch - 1],
      );
      for (const { id, n } of rows) there[id] = Math.min(n, 255);
    }
    for (let id = 1; id <= this.#last; id++) {
      const problem = problemOf(this.#fates[id] ?? 0, there[id] ?? 0);
      if (problem !== null) blame(problem, id);
    }
    return {
      counts: this.#counts(),
      unknownButThere: this.#count((fate, id) => fate === fates.unknown && (there[id] ?? 0) > 0),
      problems: [...problems].map(
        ([problem, ids]) => `${ids.length} ${problem}: ${ids.slice(0, samples).join(', ')}`,
      ),
    };
  }

  #counts(): Record<Fate, number> {
    const counted = Object.entries(fates).map(([name, value]) => [
      name,
      this.#count((fate) => fate === value),
    ]);
    return Object.fromEntries(counted);
  }

  #count(isCounted: (fate: number, id: number) => boolean): number {
    let count = 0;
    for (let id = 1; id <= this.#last; id++) count += isCounted(this.#fates[id] ?? 0, id) ? 1 : 0;
    return count;
  }
}

/** What is wrong with a write that is there so many times. */
function problemOf(fate: number, times: number): string | null {
  if (times > 1) return 'writes were carried out more than once';
  if (fate === fates.open) return 'writes were never answered';
  if (fate === fates.acknowledged && times === 0) return 'acknowledged writes are lost';
  if (fate === fates.refused && times === 1) return 'writes that failed are there all the same';
  return null;
}
