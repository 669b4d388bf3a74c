import { Deadlines } from './deadlines.ts';

/** A share of something that only so many may have at the same time; others wait their turn. */
export class Share {
  readonly #size: number;
  readonly #deadlines: Deadlines;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  /**
   * @param size how many may have it; Infinity: all.
   * @param patience how long one waits for it, in milliseconds.
   */
  constructor(size: number, patience: number) {
    this.#size = size;
    this.#deadlines = new Deadlines(patience);
  }

  get hasRoom(): boolean {
    return this.#taken < this.#size;
  }

  /** Calls back with `true` when it is the caller's turn, who is to {@link leave}; `false`: too late. */
  enter(callback: (isIn: boolean) => void): void {
    if (this.hasRoom) {
      this.#taken += 1;
      callback(true);
      return;
    }
    const goOn = () => {
      this.#deadlines.remove(deadline);
      callback(true);
    };
    const deadline = this.#deadlines.add(() => {
      this.#waiting.splice(this.#waiting.indexOf(goOn), 1);
      callback(false);
    });
    this.#waiting.push(goOn);
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#taken -= 1;
    } else {
      next();
    }
  }
}
