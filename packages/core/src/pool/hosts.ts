import { isRwSplitError } from '../errors.ts';
import { type Balancing, choose, chosenBy, nextTurn } from '../hosts/choose.ts';
import { preferenceOf } from '../hosts/subset.ts';
import * as keywords from '../statement/keywords.ts';
import type { Host, LeaseCallback } from './host.ts';
import type { HostInfo } from './host-info.ts';
import { garbledCharacters, type RawPool } from './mysql2.ts';
import { primaryDown } from './primary-down.ts';
import { Seat } from './seat.ts';

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

/** How a pool picks its hosts. */
export interface HostsPolicy {
  readonly balancing: Balancing;
  readonly zone: string | null;
  /** How many replicas of a group are used; Infinity: all. */
  readonly subset: number;
  readonly subsetKey: string;
  /** The weight of the primary among the replicas. */
  readonly primaryReads: number;
  readonly onLag: 'primary' | 'leastLagged' | 'error';
  /** Whether roles are as configured; else they are found out. */
  readonly isStatic: boolean;
  /** How long to wait for a primary, in milliseconds. */
  readonly primaryWait: number;
  /** Told when a host turns out not to be what it was taken for, or to be gone. */
  readonly onDoubt: () => void;
}

/** Between two times that the connections of a primary are replaced because it refuses writes, in milliseconds. */
const longestDoubt = 1_000;

/** So many times may the primary move while a statement waits for a connection of it. */
const mostMoves = 3;

/** What changes the hosts of a pool. */
export interface HostsListener {
  /** The roles have changed, or hosts have come or gone. */
  hostsChanged(): void;
}

const systemSchemas = new Set(keywords.systemSchemas.split(' '));

function systemSchemaOf({ config }: RawPool): string | null {
  const database = config.connectionConfig.database?.toLowerCase() ?? '';
  return systemSchemas.has(database) ? database : null;
}

/** All hosts of a pool, and the way from a role to a connection. */
export class Hosts {
  readonly seat: Seat;
  #replicas: readonly Host[];
  #garbled: readonly RegExp[] = [];
  #systemSchema: string | null = null;
  readonly #policy: HostsPolicy;
  readonly #listeners: HostsListener[] = [];
  /** The replicas of a group, in the order in which this process prefers them. */
  readonly #groups = new Map<string, readonly Host[]>();
  readonly #knownGroups = new Set(['default']);
  /** Whether every replica may have every read that says nothing. */
  #isUniform = true;
  #choices = 0;
  /** When the connections of a primary that refuses writes were replaced last. */
  #replacedAt = Number.NEGATIVE_INFINITY;
  #isFunctionBroken = false;

  constructor(primary: Host, replicas: readonly Host[], policy: HostsPolicy) {
    this.seat = new Seat(primary, policy.isStatic);
    this.#policy = policy;
    this.#replicas = replicas;
    this.#arrange();
  }

  /** The primary, or the last one that was. */
  get primary(): Host {
    return this.seat.host;
  }

  get replicas(): readonly Host[] {
    return this.#replicas;
  }

  get all(): readonly Host[] {
    return [this.primary, ...this.#replicas];
  }

  /** Characters that may reach a host as others, by the charsets of the hosts. */
  get garbled(): readonly RegExp[] {
    return this.#garbled;
  }

  /** The system schema that names without a database belong to on a host; `null` if there is none. */
  get systemSchema(): string | null {
    return this.#systemSchema;
  }

  /** Has it told of changes. */
  listen(listener: HostsListener): void {
    this.#listeners.push(listener);
  }

  /** A host is the primary from now on; the one before is a replica, as far as is known. */
  appoint(host: Host): void {
    const before = this.primary;
    if (host !== before) {
      before.become('replica');
      host.become('primary');
      this.#replicas = this.all.filter((one) => one !== host && !one.isLeaving);
    }
    this.seat.take(host);
    this.#changed();
  }

  add(host: Host): void {
    this.#replicas = [...this.#replicas, host];
    this.#changed();
  }

  /** Of a host that is a replica. */
  setWeight(host: Host, weight: number): void {
    host.weight = weight;
    this.#arrange();
  }

  remove(host: Host): void {
    host.retire();
    this.#replicas = this.#replicas.filter((one) => one !== host);
    this.#changed();
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
      const replicas = this.#replicas;
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
    if (this.#replicas.length <= this.#policy.subset) {
      return this.all;
    }
    const replicas = this.groups.flatMap((group) =>
      this.#available({ tried: [], group, maxLag: null, isOnReplica: false }),
    );
    return [...new Set([this.primary, ...replicas])];
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
      if (chosen !== this.primary) {
        limits.chosen(chosen);
      }
    }
    return chosen;
  }

  /** Asks for a connection to the primary; where roles are found out, one that is gone is waited for. */
  leasePrimary(callback: LeaseCallback, moves = 0): void {
    const checked: LeaseCallback = (failure, lease) => {
      if (lease === undefined || lease.role === 'primary') {
        callback(failure, lease);
      } else if (moves < mostMoves) {
        // It lost its place while its connection was waited for.
        lease.giveBack();
        this.leasePrimary(callback, moves + 1);
      } else {
        lease.giveBack();
        callback({ error: this.seat.error() });
      }
    };
    if (!this.seat.isTaken) {
      this.#awaitPrimary(checked);
      return;
    }
    this.#leaseFrom(this.primary, (failure, lease) => {
      if (failure !== null && this.#isGone(failure.error)) {
        // Nothing was sent, and another one may take its place.
        this.seat.vacate();
        this.#awaitPrimary(checked);
      } else {
        checked(failure, lease);
      }
    });
  }

  #isGone(error: Error): boolean {
    return !this.#policy.isStatic && isRwSplitError(error) && error.code === 'RWSPLIT_PRIMARY_DOWN';
  }

  #awaitPrimary(callback: LeaseCallback): void {
    this.#policy.onDoubt();
    this.seat.whenTaken(this.#policy.primaryWait, (host) => {
      if (host === null) {
        callback({ error: this.seat.error() });
      } else {
        this.#leaseFrom(host, callback);
      }
    });
  }

  /** The primary says that it takes no writes: it is one no more. */
  refusedBy(host: HostInfo): void {
    const { primary } = this;
    if (host !== primary) {
      return;
    }
    if (!this.#policy.isStatic) {
      primary.replaceConnections();
      this.seat.vacate();
    } else if (performance.now() > this.#replacedAt + longestDoubt) {
      // Its name may lead to another server by now; or it is the right one, and read-only for a while.
      this.#replacedAt = performance.now();
      primary.replaceConnections();
    }
    this.#policy.onDoubt();
  }

  #leaseFrom(host: Host, callback: LeaseCallback): void {
    if (host.isSilent) {
      this.#policy.onDoubt();
      process.nextTick(callback, { error: primaryDown(host, null) });
      return;
    }
    host.lease((failure, lease) => {
      if (failure === null) {
        callback(null, lease);
        return;
      }
      const error = primaryDown(host, failure.error);
      if (error !== failure.error) {
        this.#policy.onDoubt();
      }
      callback({ error });
    });
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
    const { primary } = this;
    const isIn =
      this.#policy.primaryReads > 0 && !isOnReplica && this.seat.isTaken && primary.isAvailable;
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
    const members = this.#replicas.filter(({ groups }) => groups.includes(group));
    const { subset, subsetKey } = this.#policy;
    const { zone } = this.#policy;
    const ordered = subset < members.length ? inOrderOf(members, subsetKey, zone) : members;
    if (members.length > 0) {
      this.#groups.set(group, ordered);
    }
    return ordered;
  }

  #changed(): void {
    this.#arrange();
    for (const listener of this.#listeners) {
      listener.hostsChanged();
    }
  }

  #arrange(): void {
    this.#groups.clear();
    for (const group of this.all.flatMap(({ groups }) => groups)) {
      this.#knownGroups.add(group);
    }
    this.#isUniform =
      this.#replicas.length <= this.#policy.subset &&
      this.#replicas.every(({ groups }) => groups.includes('default'));
    this.#systemSchema = this.all.map(({ pool }) => systemSchemaOf(pool)).find(Boolean) ?? null;
    this.#garbled = this.all.flatMap(({ pool }) => garbledCharacters(pool) ?? []);
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
