import type { GtidSet } from '../gtid/set.ts';
import type { Host } from '../pool/host.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Place, ScopeMarks } from './marks.ts';
import { isMetBy, type Need, requiredBy } from './need.ts';
import { Watch } from './watch.ts';

/** The replicas of a pool, and what is known of each. */
export class Replicas {
  readonly #hosts: readonly Host[];
  readonly #watches: ReadonlyMap<HostInfo, Watch>;

  /**
   * @param patience from when on a wait means that a replica is behind, in milliseconds.
   * @param onLearned told when more is known.
   */
  constructor(hosts: readonly Host[], patience: number, onLearned: () => void) {
    this.#hosts = hosts;
    this.#watches = new Map(hosts.map((host) => [host, new Watch(host, patience, onLearned)]));
  }

  /** Those that a read may be offered. */
  offered(tried: readonly HostInfo[]): readonly Host[] {
    const now = Date.now();
    return this.#hosts.filter((host) => isOffered(host, tried, now));
  }

  /** Whether there is one of them. */
  hasOffered(tried: readonly HostInfo[]): boolean {
    const now = Date.now();
    return this.#hosts.some((host) => isOffered(host, tried, now));
  }

  /** Whether all of them, up or not, are known to have a set. */
  allHave(set: GtidSet): boolean {
    for (const watch of this.#watches.values()) {
      if (!watch.has(set)) {
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
    for (const watch of this.#watches.values()) {
      watch.prepare();
    }
  }

  close(): void {
    for (const watch of this.#watches.values()) {
      watch.close();
    }
  }
}

function isOffered(host: Host, tried: readonly HostInfo[], now: number): boolean {
  return !tried.includes(host) && host.isAvailable(now);
}
