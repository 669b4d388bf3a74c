import type { GtidSet } from '../gtid/set.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Hosts } from '../pool/hosts.ts';
import type { Place, ScopeMarks } from './marks.ts';
import { isMetBy, type Need, requiredBy } from './need.ts';
import { Watch } from './watch.ts';

/** The replicas of a pool, and what is known of each. */
export class Replicas {
  readonly #hosts: Hosts;
  readonly #watches = new Map<HostInfo, Watch>();
  readonly #patience: number;
  readonly #onLearned: () => void;

  /**
   * @param patience from when on a wait means that a replica is behind, in milliseconds.
   * @param onLearned told when more is known.
   */
  constructor(hosts: Hosts, patience: number, onLearned: () => void) {
    this.#hosts = hosts;
    this.#patience = patience;
    this.#onLearned = onLearned;
    this.follow();
  }

  /** Watches those that are replicas now, and no others. */
  follow(): void {
    const { replicas } = this.#hosts;
    for (const [host, watch] of this.#watches) {
      if (!replicas.some((one) => one === host)) {
        watch.close();
        this.#watches.delete(host);
      }
    }
    for (const host of replicas) {
      if (!this.#watches.has(host)) {
        this.#watches.set(host, new Watch(host, this.#patience, this.#onLearned));
      }
    }
  }

  /** Whether all of these are known to have a set. */
  allHave(hosts: readonly HostInfo[], set: GtidSet): boolean {
    for (const host of hosts) {
      if (!this.has(host, set)) {
        return false;
      }
    }
    return true;
  }

  has(host: HostInfo, set: GtidSet): boolean {
    return this.#watches.get(host)?.has(set) === true;
  }

  /** Whether a replica has all that a read needs. */
  meets(host: HostInfo, need: Need): boolean {
    const watch = this.#watches.get(host);
    return watch !== undefined && isMetBy(need, (set) => watch.has(set));
  }

  isBehind(host: HostInfo): boolean {
    return this.#watches.get(host)?.isBehind === true;
  }

  /** What a session notes of where it has read. */
  placeOf(host: HostInfo): Place {
    return this.#watches.get(host)?.life ?? host;
  }

  /** Whether a replica shows nothing older than what a session has seen, if it has all that is required. */
  admits(host: HostInfo, scope: ScopeMarks | null): boolean {
    return scope === null || scope.admits(this.placeOf(host));
  }

  /** Asks those that lack something of what a read needs, and those that were late, what they have. */
  ask(hosts: readonly HostInfo[], need: Need): void {
    for (const host of hosts) {
      const meets = this.meets(host, need);
      if (!meets || this.isBehind(host)) {
        this.#watches.get(host)?.want(meets ? [] : requiredBy(need));
      }
    }
  }

  /** Somebody will ask soon. */
  prepare(): void {
    for (const host of this.#hosts.choice.used) {
      this.#watches.get(host)?.prepare();
    }
  }

  close(): void {
    for (const watch of this.#watches.values()) {
      watch.close();
    }
  }
}
