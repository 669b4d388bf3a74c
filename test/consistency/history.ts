/**
 * One register seen or set once. The two times are ticks of one process's {@link Clock}: what ended
 * before something else started was over before it, whatever the machine's clock says.
 */
export interface Entry {
  readonly kind: 'write' | 'read';
  readonly register: number;
  /** A register's versions only grow, on every server; 0 means that there is no such row. */
  readonly version: number;
  readonly start: number;
  readonly end: number;
  /** How it was done, for the reader of a violation. */
  readonly how: string;
}

/** Gives each moment of this process a number of its own. */
export class Clock {
  #now = 0;

  tick(): number {
    this.#now += 1;
    return this.#now;
  }
}

/** A register and its version. */
export interface Value {
  readonly register: number;
  readonly version: number;
}

/**
 * What one observer did and saw: a session, or all that a process does outside sessions. Only what
 * was acknowledged: of a write that failed nobody knows whether it happened.
 */
export class History {
  readonly entries: Entry[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The start of something that may be recorded later. */
  begin(): number {
    return this.#clock.tick();
  }

  wrote(start: number, how: string, { register, version }: Value): void {
    const end = this.#clock.tick();
    this.entries.push({ kind: 'write', register, version, start, end, how });
  }

  read(start: number, how: string, values: readonly Value[]): void {
    const end = this.#clock.tick();
    for (const { register, version } of values) {
      this.entries.push({ kind: 'read', register, version, start, end, how });
    }
  }

  /** What has been acknowledged so far, by register: the promise that a token carries. */
  written(): Value[] {
    const newest = new Map<number, number>();
    for (const { kind, register, version } of this.entries) {
      if (kind === 'write') newest.set(register, Math.max(version, newest.get(register) ?? 0));
    }
    return [...newest].map(([register, version]) => ({ register, version }));
  }
}
