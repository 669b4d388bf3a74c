import type { Dialect } from '../statement/facts.ts';
import type { ServerVersions } from '../statement/functions/known.ts';
import { versionNumber } from '../statement/functions/table.ts';

/** The dialect that a server's `VERSION()` tells. */
export function dialectOf(version: string): 'mysql' | 'mariadb' {
  return /mariadb/i.test(version) ? 'mariadb' : 'mysql';
}

/** What the servers have told of themselves: their dialect, the oldest and the newest version. */
export class LearnedVersions {
  readonly #given: Dialect | null;
  readonly #dialects = new Set<Dialect>();
  #oldest: number = Number.POSITIVE_INFINITY;
  #newest = 0;

  /** @param given the dialect that the user named, or `null`. */
  constructor(given: Dialect | null) {
    this.#given = given;
  }

  /** Takes a server's `VERSION()`. */
  learn(version: string): void {
    const dialect = dialectOf(version);
    this.#dialects.add(dialect);
    if (dialect === (this.#given ?? dialect)) {
      const number = versionNumber(version);
      this.#oldest = Math.min(this.#oldest, number);
      this.#newest = Math.max(this.#newest, number);
    }
  }

  /** Until a server has told its version, only what is built in on all versions is known to be. */
  get servers(): ServerVersions {
    const dialect = this.#dialect;
    return dialect === 'unknown' || this.#newest === 0
      ? { dialect, version: 0, newestVersion: Number.MAX_SAFE_INTEGER }
      : { dialect, version: this.#oldest, newestVersion: this.#newest };
  }

  get #dialect(): Dialect {
    const [first, ...others] = this.#dialects;
    return this.#given ?? (first === undefined || others.length > 0 ? 'unknown' : first);
  }
}
