/** Reads a text from its start, one pattern after the other; linear, as it never goes back. */
export class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /**
   * What stands here, if it fits the pattern: the scanner is behind it then, and else where it was.
   *
   * @param pattern sticky (flag `y`)
   */
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  /** The number here: `null` if there is none, or it is greater than `greatest`. */
  takeNumber(greatest: bigint): bigint | null {
    this.take(zeros);
    const digits = this.take(significantDigits);
    // More digits than any number allowed has: turning them into one takes more than linear time.
    if (digits === null || digits.length > mostDigits) return null;
    const number = BigInt(digits);
    return number > greatest ? null : number;
  }
}

/** All zeros but the last one of a number that is zero. */
const zeros = /0+(?=[0-9])/y;
const significantDigits = /[0-9]+/y;
const mostDigits = 20;
