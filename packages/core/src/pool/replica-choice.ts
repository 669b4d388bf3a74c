import { type Balancing, choose, chosenBy, nextTurn } from '../hosts/choose.ts';
import { preferenceOf } from '../hosts/subset.ts';
import type { Host } from './host.ts';
import type { HostInfo } from './host-info.ts';
import type { Seat } from './seat.ts';

/** Which replicas a read may be offered. */
export interface ReplicaLimits {
  admits(host: HostInfo): boolean;
  /** The one to take if it may be; `null`: whichever is best. */
  readonly preferred: HostInfo | null;
  /** Told which other one was taken. */
  chosen(host: HostInfo): void;
}

/** What was said of where a read may run. */
export interface Selection {
  /** The hosts that it has failed on. */
  readonly tried: readonly HostInfo[];
  readonly group: string;
  /** Whether somebody has said that it is to run on a replica, or in which group. */
  readonly isOnReplica: boolean;
  /** How far a replica may lag behind, in milliseconds; `null`: as far as it does. */
  readonly maxLag: number | null;
}

/** Why no replica may have a read. */
export type Shortage = 'unavailable' | 'lagging';

/** How a pool picks the replica for a read. */
export interface ChoicePolicy {
  readonly balancing: Balancing;
  readonly zone: string | null;
  /** How many replicas of a group are used; Infinity: all. */
  readonly subset: number;
  readonly subsetKey: string;
  /** The weight of the primary among the replicas. */
  readonly primaryReads: number;
  readonly onLag: 'primary' | 'leastLagged' | 'error';
}

/** The hosts that there are at the time. */
interface Members {
  readonly seat: Seat;
  readonly primary: Host;
  readonly replicas: readonly Host[];
  readonly all: readonly Host[];
}

/** Which replicas a read may be offered, and which of them it gets. */
export class ReplicaChoice {
  readonly #hosts: Members;
  readonly #policy: ChoicePolicy;
  /** The replicas of a group, in the order in which this process prefers them. */
  readonly #groups = new Map<string, readonly Host[]>();
  readonly #knownGroups = new Set(['default']);
  /** Whether every replica may have every read that says nothing. */
  #isUniform = true;
  #choices = 0;
  #isFunctionBroken = false;

  constructor(hosts: Members, policy: ChoicePolicy) {
    this.#hosts = hosts;
    this.#policy = policy;
  }

  /** To be called when hosts have come or gone, or have other weights. */
  arrange(): void {
    this.#groups.clear();
    for (const group of this.#hosts.all.flatMap(({ groups }) => groups)) {
      this.#knownGroups.add(group);
    }
    this.#isUniform =
      this.#hosts.replicas.length <= this.#policy.subset &&
      this.#hosts.replicas.every(({ groups }) => groups.includes('default'));
  }

  /** Whether a read can name this group. */
  hasGroup(group: string): boolean {
    return this.#knownGroups.has(group);
  }

  /** The groups that hosts are in, or were in. */
  get groups(): readonly string[] {
    return [...this.#knownGroups];
  }

  /** The replicas that a read may be offered; none: see {@link shortageOf}. */
  offered(selection: Selection): readonly Host[] {
    const { tried, group, maxLag } = selection;
    if (this.#isUniform && group === 'default' && maxLag === null && tried.length === 0) {
      const replicas = this.#hosts.replicas;
      if (replicas.every(isUp)) {
        return replicas;
      }
    }
    const there = this.#available(selection);
    if (maxLag === null) {
      return there;
    }
    const fresh = there.filter(({ lag }) => lag !== null && lag <= maxLag);
    return fresh.length > 0 || this.#policy.onLag !== 'leastLagged' ? fresh : leastLagged(there);
  }

  /**
   * The hosts that this process uses: the primary, and of each group the replicas that it prefers and that
   * are there.
   */
  get used(): readonly Host[] {
    if (this.#hosts.replicas.length <= this.#policy.subset) {
      return this.#hosts.all;
    }
    const replicas = this.groups.flatMap((group) =>
      this.#available({ tried: [], group, maxLag: null, isOnReplica: false }),
    );
    return [...new Set([this.#hosts.primary, ...replicas])];
  }

  /** Why {@link offered} has none. */
  shortageOf(selection: Selection): Shortage {
    return this.#available(selection).length > 0 ? 'lagging' : 'unavailable';
  }

  /**
   * The host to read from; `undefined` if none is admitted.
   *
   * @param offered the replicas that the read may be offered.
   */
  pick(
    offered: readonly Host[],
    limits: ReplicaLimits,
    { isOnReplica }: Selection,
  ): Host | undefined {
    const { preferred } = limits;
    const isPreferred = (host: Host) => host === preferred && !host.isSuspect;
    const before = preferred === null ? undefined : offered.find(isPreferred);
    if (before !== undefined && limits.admits(before)) {
      before.lastChosen = ++this.#choices;
      return before;
    }
    const admitted = this.#withPrimary(
      offered.filter((host) => limits.admits(host)),
      isOnReplica,
    );
    const chosen = this.#choose(admitted);
    if (chosen !== undefined) {
      chosen.lastChosen = ++this.#choices;
      chosen.turn = nextTurn(chosen, admitted);
      if (chosen !== this.#hosts.primary) {
        limits.chosen(chosen);
      }
    }
    return chosen;
  }

  /** The user's function picks among those that are there; while it fails, its place is taken. */
  #choose(candidates: readonly Host[]): Host | undefined {
    const { balancing, zone } = this.#policy;
    if (typeof balancing !== 'function') {
      return choose(candidates, balancing, zone, Math.random());
    }
    if (candidates.length > 0) {
      const snapshots = Object.freeze(candidates.map((host) => host.snapshot()));
      const answer = chosenBy(balancing, snapshots);
      if (answer.kind === 'host') {
        return candidates.find(({ name }) => name === answer.host.name);
      }
      this.#warnOfFunction(answer.kind === 'threw' ? 'threw' : 'chose none of the hosts');
    }
    return choose(candidates, 'leastOutstanding', zone, Math.random());
  }

  #warnOfFunction(problem: string): void {
    if (!this.#isFunctionBroken) {
      this.#isFunctionBroken = true;
      process.emitWarning(
        `rwsplit: the function given as \`balancing\` ${problem}; replicas are picked by 'leastOutstanding' where it fails`,
        { type: 'RwSplitWarning', code: 'RWSPLIT_BALANCING' },
      );
    }
  }

  #withPrimary(admitted: readonly Host[], isOnReplica: boolean): readonly Host[] {
    const { primary, seat } = this.#hosts;
    const isIn =
      this.#policy.primaryReads > 0 && !isOnReplica && seat.isTaken && primary.isAvailable;
    return isIn && admitted.length > 0 ? [...admitted, primary] : admitted;
  }

  /** Those of a group that can be used at all; of a subset, the first ones of them. */
  #available({ tried, group }: Selection): readonly Host[] {
    const isThere = (host: Host) => host.isAvailable && !tried.includes(host);
    const there = this.#inGroup(group).filter(isThere);
    const { subset } = this.#policy;
    return there.length > subset ? there.slice(0, subset) : there;
  }

  #inGroup(group: string): readonly Host[] {
    const known = this.#groups.get(group);
    if (known !== undefined) {
      return known;
    }
    const members = this.#hosts.replicas.filter(({ groups }) => groups.includes(group));
    const { subset, subsetKey } = this.#policy;
    const { zone } = this.#policy;
    const ordered = subset < members.length ? inOrderOf(members, subsetKey, zone) : members;
    if (members.length > 0) {
      this.#groups.set(group, ordered);
    }
    return ordered;
  }
}

function isUp(host: Host): boolean {
  return host.isUp;
}

/** In the order of a process; but first those that it is to read from, if there are such. */
function inOrderOf(hosts: readonly Host[], key: string, zone: string | null): readonly Host[] {
  const order = preferenceOf(
    hosts.map(({ name }) => name),
    key,
  );
  const ordered = order.flatMap((name) => hosts.find((host) => host.name === name) ?? []);
  const rank = (host: Host) =>
    (host.weight > 0 ? 0 : 2) + (zone === null || host.zone === zone ? 0 : 1);
  return ordered.sort((one, other) => rank(one) - rank(other));
}

/** Those of which nobody knows how far behind they are come last: the primary may be gone. */
function leastLagged(hosts: readonly Host[]): readonly Host[] {
  const known = hosts.filter(({ lag }) => lag !== null);
  const least = Math.min(...known.map(({ lag }) => Number(lag)));
  return known.length === 0 ? hosts : known.filter(({ lag }) => lag === least);
}
