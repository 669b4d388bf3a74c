import { RwSplitError } from '../errors.ts';
import type { Host } from './host.ts';

/** Why there is no primary to send anything to. */
type Vacancy = 'unknown' | 'none' | 'several';

/** The place of the primary: which host has it, and who waits while nobody does. */
export class Seat {
  #host: Host;
  #vacancy: Vacancy | null;
  #rivals: readonly string[] = [];
  #refusal: string | null = null;
  /** When somebody found last that the primary is none any more, by `performance.now()`. */
  vacantSince = Number.NEGATIVE_INFINITY;
  readonly #waiting = new Set<(host: Host | null) => void>();

  /** @param isKnown whether the first one is the primary for sure; else it is waited for. */
  constructor(host: Host, isKnown: boolean) {
    this.#host = host;
    this.#vacancy = isKnown ? null : 'unknown';
  }

  /** The primary, or the last one that was. */
  get host(): Host {
    return this.#host;
  }

  get isTaken(): boolean {
    return this.#vacancy === null;
  }

  take(host: Host): void {
    this.#host = host;
    this.#vacancy = null;
    this.#rivals = [];
    for (const goOn of [...this.#waiting]) {
      goOn(host);
    }
  }

  /** @param rivals the names of those that all say that they are the primary; none: nobody does. */
  vacate(rivals: readonly string[] = []): void {
    this.#vacancy = rivals.length > 0 ? 'several' : 'none';
    this.#rivals = rivals;
    this.vacantSince = performance.now();
  }

  /** Nobody says who is the primary; with the code of a refusal to say so, if there was one. */
  explain(refusal: string | null): void {
    this.#refusal = refusal;
  }

  /** Waits for a primary, for so many milliseconds; `null`: there is none. */
  whenTaken(milliseconds: number, callback: (host: Host | null) => void): void {
    if (this.isTaken) {
      callback(this.#host);
      return;
    }
    const goOn = (host: Host | null) => {
      clearTimeout(timer);
      this.#waiting.delete(goOn);
      callback(host);
    };
    const timer = setTimeout(() => goOn(null), milliseconds);
    this.#waiting.add(goOn);
  }

  /** Lets those go who wait. */
  close(): void {
    for (const goOn of [...this.#waiting]) {
      goOn(null);
    }
  }

  /** The error for what needs the primary while there is none. */
  error(): RwSplitError {
    if (this.#vacancy === 'several') {
      return new RwSplitError(
        'RWSPLIT_TWO_PRIMARIES',
        `Expected one primary, found ${this.#rivals.length} hosts that take writes: ${this.#rivals.join(', ')}. ` +
          'Nothing is written before all but one are read-only',
        { isRetryable: true },
      );
    }
    const why =
      this.#vacancy === 'unknown'
        ? unknownBecause(this.#refusal)
        : 'no host takes writes, or the one that does is not ready';
    return new RwSplitError('RWSPLIT_PRIMARY_DOWN', `There is no primary: ${why}`, {
      isRetryable: true,
    });
  }
}

function unknownBecause(refusal: string | null): string {
  return refusal === null
    ? 'no host has said yet whether it takes writes'
    : `the hosts refuse to say whether they take writes (${refusal}): the account may lack a privilege`;
}
