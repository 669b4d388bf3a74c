import { codeOf } from '../pool/failure.ts';

/** How long the first reads wait for the first reading, in milliseconds. */
const patience = 2_000;
/** How long reads go to the primary after a change, in milliseconds, if it cannot be read. */
const longestBehind = 5_000;
/** The same while the first reading is under way, which the server itself limits. */
const longestFirstReading = 30_000;
/** How many times as long as a reading took lie at least between two: a large catalogue is work. */
const restFactor = 20;
/** The age from which a reading may be doubted, in milliseconds. */
const doubtfulAge = 10_000;
/** The wait after a reading that failed, in milliseconds; it doubles with each further one. */
const firstRetry = 1_000;

/** One reading of the catalogue. */
export interface Reading {
  /** @param onConnected called when the server has answered for the first time. */
  run(isTimed: boolean, onConnected: () => void): Promise<void>;
  /** Whether the server still answers, asked by another connection; takes a second at most. */
  isAlive(): Promise<boolean>;
  /** Gives up at once: {@link run} fails. */
  stop(): void;
  /** Called when it is over, and the refresh has taken note. */
  onOver(): void;
}

/** When the catalogue is read, and how long reads must do without it. */
export class Refresh {
  readonly #interval: number;
  readonly #start: () => Reading;
  #isStarted = false;
  /** Whether the primary has ever answered. */
  #isConnected = false;
  #isClosed = false;
  #reading: Reading | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  /** Of the last reading, in milliseconds. */
  #duration = 0;
  /** Whether nobody waits for the first reading any more. */
  #isFirstOver = false;
  #waiting: (() => void)[] = [];
  /** Changes of definitions so far, and those that were over when the last good reading began. */
  #changes = 1;
  #known = 0;
  /** Until when reads go to the primary if a change is not known. */
  #behindUntil = 0;
  #readAt = 0;
  /** Code of the last reading's failure; `null` after a good one. */
  error: string | null = null;

  /** @param interval milliseconds between two readings. */
  constructor(interval: number, start: () => Reading) {
    this.#interval = interval;
    this.#start = start;
  }

  /** Whether it has ever been needed. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Whether there has been a good reading. */
  get hasRead(): boolean {
    return this.#known > 0;
  }

  /**
   * Whether a plain read may be routed now; else it is told when. The first one starts it all. The
   * wait is that for a login and a few queries, once; if the primary does not answer, it is bounded.
   */
  admits(onReady: () => void): boolean {
    if (this.#isFirstOver) {
      return true;
    }
    this.#waiting.push(onReady);
    if (!this.#isStarted) {
      this.#isStarted = true;
      setTimeout(() => this.#endPatience(), patience).unref();
      this.#read(true);
    }
    return false;
  }

  /** Whether plain reads have to stay on the primary, because of what is not known yet. */
  get isBehind(): boolean {
    return this.#known < this.#changes && performance.now() < this.#behindUntil;
  }

  /** Ends what {@link isBehind} asks for: there is no primary to stay on. */
  doWithout(): void {
    this.#behindUntil = 0;
  }

  /** A definition is about to change. */
  expectChange(): void {
    if (this.#isStarted) {
      this.#changes++;
      this.#behindUntil = performance.now() + longestBehind;
    }
  }

  /** A definition has changed, or may have: reads the catalogue at once, or again after this reading. */
  changed(): void {
    if (this.#isStarted) {
      this.expectChange();
      this.#read(false);
    }
  }

  /** Something was not as the catalogue says: reads it again, unless that has just been done. */
  doubt(): void {
    if (this.#isFirstOver && performance.now() - this.#readAt > doubtfulAge) {
      this.#read(false);
    }
  }

  /** Reads no more, and lets those go on who wait. */
  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
    this.#reading?.stop();
    this.#endFirst();
  }

  #read(isTimed: boolean): void {
    if (this.#isClosed || this.#reading !== null) {
      return;
    }
    this.#stopTimer();
    const reading = this.#start();
    this.#reading = reading;
    const changes = this.#changes;
    const startedAt = performance.now();
    const over = (error: Error | null) => {
      this.#reading = null;
      this.#duration = performance.now() - startedAt;
      this.#over(changes, error);
      reading.onOver();
    };
    reading
      .run(isTimed, () => {
        this.#isConnected = true;
      })
      .then(
        () => over(null),
        (error: Error) => over(error),
      );
  }

  /**
   * The first reading takes longer than anybody waits. A primary that answers can run the reads until it
   * is done; one that has stopped answering in the middle of it must not keep them.
   */
  async #endPatience(): Promise<void> {
    const reading = this.#reading;
    if (reading !== null && this.#isConnected && !this.#isFirstOver) {
      if (!(await reading.isAlive())) {
        reading.stop();
      } else if (this.#reading === reading) {
        this.#behindUntil = performance.now() + longestFirstReading;
      }
    }
    this.#endFirst();
  }

  #over(changes: number, error: Error | null): void {
    this.error = error === null ? null : codeOf(error);
    if (error === null) {
      this.#known = changes;
      this.#failures = 0;
      this.#readAt = performance.now();
    } else {
      this.#failures++;
    }
    if (!this.hasRead) {
      this.#behindUntil = 0;
    }
    this.#endFirst();
    if (error === null && this.#known < this.#changes) {
      this.#read(false);
    } else {
      this.#wait();
    }
  }

  #endFirst(): void {
    this.#isFirstOver = true;
    for (const goOn of this.#waiting.splice(0)) {
      // Each by itself, so that one that throws does not take the others with it.
      queueMicrotask(goOn);
    }
  }

  #wait(): void {
    if (this.#isClosed) {
      return;
    }
    const doubled = firstRetry * 2 ** Math.min(this.#failures - 1, 16);
    const usual = Math.max(this.#interval, this.#duration * restFactor);
    const time = this.#failures === 0 ? usual : Math.min(this.#interval, doubled);
    // Jitter, so that the processes of a fleet do not all ask at once.
    const jittered = time * (0.8 + 0.2 * Math.random());
    this.#timer = setTimeout(() => this.#read(true), jittered).unref();
  }

  #stopTimer(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}
