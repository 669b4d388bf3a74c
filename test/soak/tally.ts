import type { Trouble } from './trouble.ts';

/** How a statement ended, by its kind. */
export interface Outcomes {
  done: number;
  readonly failed: Record<string, number>;
}

/** What clients came to. */
export interface Totals {
  readonly outcomes: Readonly<Record<string, Outcomes>>;
  /** Reads during which the primary was well: none of them may fail. */
  readonly judgedReads: number;
  /** The longest of them, in milliseconds. */
  readonly longestRead: number;
  /** What must not have happened, in words. */
  readonly wrong: readonly string[];
  readonly wrongCount: number;
}

const samples = 10;

/** Counts what clients see, and knows what they must not see. */
export class Tally {
  /** Whether nothing at all may fail: all faults are over. */
  isCalm = true;
  readonly #trouble: Trouble;
  readonly #outcomes: Record<string, Outcomes> = {};
  readonly #wrong: string[] = [];
  #wrongCount = 0;
  #judgedReads = 0;
  #longestRead = 0;

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
  }

  get totals(): Totals {
    return {
      outcomes: this.#outcomes,
      judgedReads: this.#judgedReads,
      longestRead: this.#longestRead,
      wrong: this.#wrong,
      wrongCount: this.#wrongCount,
    };
  }

  wrong(what: string): void {
    this.#wrongCount += 1;
    if (this.#wrong.length < samples) this.#wrong.push(what);
  }

  done(kind: string): void {
    this.#of(kind).done += 1;
  }

  failed(kind: string, error: unknown): void {
    const { failed } = this.#of(kind);
    const code = codeOf(error);
    failed[code] = (failed[code] ?? 0) + 1;
    if (this.isCalm) this.wrong(`${kind} failed without any fault: ${told(error)}`);
  }

  /**
   * Counts a plain read, which may fail only while the primary is in trouble.
   *
   * @param excused further codes, by what its pool was told to refuse.
   * @returns `null` if it failed.
   */
  async read<T>(
    kind: string,
    work: () => Promise<T>,
    excused: ReadonlySet<string> = new Set(),
  ): Promise<T | null> {
    const startedAt = performance.now();
    try {
      const result = await work();
      this.#judge(startedAt);
      this.done(kind);
      return result;
    } catch (error) {
      this.failed(kind, error);
      const wasWell = this.#judge(startedAt);
      if (wasWell && !this.isCalm && !excused.has(codeOf(error))) {
        const ms = Math.round(performance.now() - startedAt);
        this.wrong(`${kind} failed after ${ms} ms while the primary was well: ${told(error)}`);
      }
      return null;
    }
  }

  #judge(startedAt: number): boolean {
    const wasWell = this.#trouble.wasPrimaryWell(startedAt);
    if (wasWell) {
      this.#judgedReads += 1;
      this.#longestRead = Math.max(this.#longestRead, performance.now() - startedAt);
    }
    return wasWell;
  }

  #of(kind: string): Outcomes {
    const outcomes = this.#outcomes[kind] ?? { done: 0, failed: {} };
    this.#outcomes[kind] = outcomes;
    return outcomes;
  }
}

/** Code of an error; mysql2 has none for what it cannot send any more. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && error.code !== undefined ? String(error.code) : error.message;
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${codeOf(error)}: ${error.message}${cause}`;
}
