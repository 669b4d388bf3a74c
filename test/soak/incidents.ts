/** Warnings that faults give rise to. All others are problems, such as of too many listeners. */
const expected: ReadonlySet<string> = new Set([
  'RWSPLIT_REPLICA_DOWN',
  'RWSPLIT_TWO_PRIMARIES',
  'RWSPLIT_BALANCING',
  // A rival that is behind, while the primary does not answer.
  'RWSPLIT_WRITES_LOST',
  // Of `queryObjects`, which the figures are taken with.
  'ExperimentalWarning',
]);

/** What nobody caught, and what the process was warned of. */
export class Incidents {
  readonly warnings: Record<string, number> = {};
  readonly problems: string[] = [];
  readonly #note = (error: unknown) => this.#caught(error);
  readonly #warned = (warning: Error) => this.#warn(warning);

  constructor() {
    // Nothing is printed: replicas that go down are the point here.
    process.removeAllListeners('warning');
    process.on('warning', this.#warned);
    process.on('uncaughtException', this.#note);
    process.on('unhandledRejection', this.#note);
  }

  end(): void {
    process.off('uncaughtException', this.#note);
    process.off('unhandledRejection', this.#note);
  }

  #caught(error: unknown): void {
    this.problems.push(`nobody caught ${error instanceof Error ? error.stack : String(error)}`);
  }

  #warn(warning: Error): void {
    const code = 'code' in warning ? String(warning.code) : warning.name;
    this.warnings[code] = (this.warnings[code] ?? 0) + 1;
    if (!expected.has(code)) this.problems.push(`warned of ${warning.name}: ${warning.message}`);
  }
}
