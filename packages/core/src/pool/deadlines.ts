/** Something that must be over by a certain time. */
export interface Deadline {
  readonly at: number;
  /** @param why `null`: its time has come. */
  readonly onMissed: (why: Error | null) => void;
  /** Whether it was removed or missed. */
  isOver: boolean;
}

/**
 * Deadlines that are all equally far away, on one timer: a statement gets its connection within
 * microseconds almost always, and a timer of its own would cost it more than all the rest.
 */
export class Deadlines {
  /** How far away they are, in milliseconds. */
  readonly timeout: number;
  /** In the order of their times. */
  readonly #open = new Set<Deadline>();
  #timer: NodeJS.Timeout | null = null;

  constructor(timeout: number) {
    this.timeout = timeout;
  }

  add(onMissed: Deadline['onMissed']): Deadline {
    const deadline = { at: performance.now() + this.timeout, onMissed, isOver: false };
    this.#open.add(deadline);
    this.#timer ??= this.#wait(this.timeout);
    return deadline;
  }

  remove(deadline: Deadline): void {
    deadline.isOver = true;
    this.#open.delete(deadline);
  }

  /** Misses all at once: what they are about will not come. */
  missAll(why: Error): void {
    const missed = [...this.#open];
    for (const deadline of missed) {
      this.remove(deadline);
      queueMicrotask(() => deadline.onMissed(why));
    }
  }

  #wait(milliseconds: number): NodeJS.Timeout {
    // What is waited for is a connection, which keeps the process alive by itself.
    return setTimeout(() => this.#check(), milliseconds).unref();
  }

  #check(): void {
    const now = performance.now();
    const missed: Deadline[] = [];
    for (const deadline of this.#open) {
      if (deadline.at > now) {
        break;
      }
      this.remove(deadline);
      missed.push(deadline);
    }
    // Before anybody is told: a caller may throw.
    const [next] = this.#open;
    this.#timer = next === undefined ? null : this.#wait(Math.max(1, next.at - now));
    for (const deadline of missed) {
      // Each from the event loop, so that one that throws does not take the others with it.
      queueMicrotask(() => deadline.onMissed(null));
    }
  }
}
