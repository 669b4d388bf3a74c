import { type GtidSet, parseGtidSet } from '../gtid/set.ts';
import type { Hosts } from '../pool/hosts.ts';
import type { Written } from '../session/written.ts';
import type { ScopeMarks, WriteMarks } from './marks.ts';
import type { Servers } from './servers.ts';
import type { Snapshots } from './snapshots.ts';

/** Keeps what is written on the primary, for the session and the process that wrote it. */
export class Writes {
  servers: Servers;
  readonly #hosts: Hosts;
  readonly #snapshots: Snapshots;
  readonly #window: number;
  #hasWarned = false;

  /** @param window how long reads stay on the primary after a write without GTID, in milliseconds. */
  constructor(servers: Servers, hosts: Hosts, snapshots: Snapshots, window: number) {
    this.servers = servers;
    this.#hosts = hosts;
    this.#snapshots = snapshots;
    this.#window = window;
  }

  /**
   * Notes what the answer of a statement on the primary says of writes; calls back, at once if it says
   * it all, when reads that come later will find them.
   */
  note(written: Written, scope: ScopeMarks | null, callback: () => void): void {
    const { kind } = written;
    if (kind === 'told') {
      this.#add(parseGtidSet(written.text, written.dialect), scope);
    } else if (kind !== 'none' && !this.#hasGtids) {
      this.#add(null, scope);
    } else if (kind === 'unknown') {
      this.#askForLost(scope);
    } else if (kind === 'hidden') {
      this.#ask(scope, callback);
      return;
    }
    callback();
  }

  /** Notes that something may have been written past us: reads have to see it from now on. */
  noteMissed(scope: ScopeMarks | null): void {
    if (this.#hasGtids) {
      this.#owe(scope);
    } else {
      this.#add(null, scope);
    }
  }

  /** Whether the primary can be asked what was written; else there is only the time. */
  get #hasGtids(): boolean {
    return this.#hosts.primary.gtids !== null;
  }

  #ask(scope: ScopeMarks | null, callback: () => void): void {
    this.#snapshots.take((executed) => {
      if (executed === null) {
        this.#owe(scope);
      } else {
        this.#add(executed, scope);
      }
      callback();
    });
  }

  /** Nobody was promised that it was written, and nobody waits for the answer but reads that come next. */
  #askForLost(scope: ScopeMarks | null): void {
    const all = this.#marks(scope);
    for (const marks of all) {
      marks.ask();
    }
    this.#snapshots.take((executed) => {
      for (const marks of all) {
        marks.answer();
      }
      if (executed !== null) {
        this.#add(executed, scope);
      }
    });
  }

  /** The primary is asked when a read needs to know. */
  #owe(scope: ScopeMarks | null): void {
    for (const marks of this.#marks(scope)) {
      marks.owe();
    }
  }

  #marks(scope: ScopeMarks | null): readonly WriteMarks[] {
    return scope === null ? [this.servers.written] : [this.servers.written, scope.written];
  }

  /** @param set `null` if nobody knows it. */
  #add(set: GtidSet | null, scope: ScopeMarks | null): void {
    const now = Date.now();
    for (const marks of this.#marks(scope)) {
      if (set === null || !marks.add(set)) {
        marks.addUntold(now);
      }
    }
    if (set === null && scope === null) {
      this.#warn();
    }
  }

  /** Outside sessions, the writes of one send the reads of all to the primary. */
  #warn(): void {
    const { replicas } = this.#hosts;
    if (this.#hasWarned || this.#hasGtids || replicas.length === 0) {
      return;
    }
    this.#hasWarned = true;
    process.emitWarning(
      `rwsplit: the primary gives its transactions no GTIDs, so after a write outside of sessions all reads of this process stay on the primary for ${this.#window} ms; turn on GTIDs, or use withSession()`,
      { type: 'RwSplitWarning', code: 'RWSPLIT_NO_GTIDS' },
    );
  }
}
