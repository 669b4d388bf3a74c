import type { Host } from '../pool/host.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Hosts } from '../pool/hosts.ts';
import type { Lease } from '../pool/lease.ts';
import type { Written } from '../session/written.ts';
import type { Consistency } from './levels.ts';
import type { Place, ScopeMarks } from './marks.ts';
import { isOwed, type Need, needOf, untoldAt } from './need.ts';
import { anywhere, behind, inWindow, onReplicas, type Placement } from './placement.ts';
import { badToken, prove } from './proof.ts';
import { Replicas } from './replicas.ts';
import { type Servers, serversOf } from './servers.ts';
import { Snapshots } from './snapshots.ts';
import { hasWithin } from './successor.ts';
import { Writes } from './writes.ts';

/** The options of {@link Causality}. */
export interface CausalityOptions {
  readonly consistency?: Consistency | undefined;
  readonly causalWait: number;
  readonly causalWindow: number;
  readonly cluster: string;
}

/** How reads got what they have to see. */
export interface ConsistencyStats {
  /**
   * How this pool knows what a replica has: by GTIDs; by a time on the primary after each write, where
   * the server gives none; `'unknown'` before the first connection to the primary.
   */
  readonly tracking: 'unknown' | 'gtids' | 'window';
  /** Plain reads so far, by what became of them; those of `'eventual'` and without a need count as `replica`. */
  readonly reads: {
    /** A replica could be read at once. */
    readonly replica: number;
    /** A replica had to be waited for. */
    readonly waited: number;
    /** The primary was read: no replica was far enough in time. */
    readonly primary: number;
  };
}

/** A read that waits for a replica. */
interface Waiter {
  readonly need: Need;
  readonly offered: () => readonly Host[];
  readonly settle: (placement: Placement) => void;
  /** Whether the primary has been asked what had to be asked. */
  isProven: boolean;
  /** Whether it has waited long enough. */
  isLate: boolean;
  isOver: boolean;
}

/** Sees to it that reads find what was written before them, wherever they run. */
export class Causality {
  readonly #options: CausalityOptions;
  readonly #hosts: Hosts;
  readonly #replicas: Replicas;
  readonly #snapshots: Snapshots;
  readonly #writes: Writes;
  readonly #waiters = new Set<Waiter>();
  readonly #reads = { replica: 0, waited: 0, primary: 0 };
  /** What reads outside of sessions need. */
  #ofProcess: Need;
  /** Where they may run while all replicas have it. */
  readonly #onAll = onReplicas(null, (host) => this.#replicas.meets(host, this.#ofProcess));

  constructor(options: CausalityOptions, hosts: Hosts) {
    const { causalWait, causalWindow, cluster } = options;
    const { address, pool } = hosts.primary;
    // A stream of the user's own leads to wherever it wants.
    const isThere = pool.config.connectionConfig.stream === undefined;
    const servers = serversOf(cluster, isThere ? address : null);
    this.#options = options;
    this.#hosts = hosts;
    this.#snapshots = new Snapshots(() => hosts.primary);
    this.#replicas = new Replicas(hosts, causalWait, () => this.#learned());
    hosts.listen({ hostsChanged: () => this.#hostsChanged() });
    this.#writes = new Writes(servers, hosts, this.#snapshots, causalWindow);
    this.#ofProcess = { process: servers.written, scope: null };
  }

  /** What sessions keep their marks by. */
  get servers(): Servers {
    return this.#writes.servers;
  }

  /** Goes on for another pool on the same servers. */
  continue({ servers }: Causality): void {
    this.#writes.servers = servers;
    this.#ofProcess = { process: servers.written, scope: null };
  }

  get stats(): ConsistencyStats {
    const { gtids } = this.#hosts.primary;
    const known = gtids === null ? 'window' : 'gtids';
    return { tracking: gtids === undefined ? 'unknown' : known, reads: { ...this.#reads } };
  }

  /**
   * What a read has to see; `null`: nothing.
   *
   * @param wish what was said for it; `null`: what the pool says.
   * @param scope the marks of its session; `null` if it is in none.
   */
  needOf(wish: Consistency | null, scope: ScopeMarks | null): Need | null {
    const level = wish ?? this.#options.consistency ?? (scope === null ? 'process' : 'session');
    return needOf(level, this.#ofProcess, scope);
  }

  /**
   * Where a read may run now; `null` if that has to be waited for: see {@link seek}.
   *
   * @param offered the replicas that it may be offered.
   */
  find(need: Need | null, offered: readonly Host[]): Placement | null {
    const isMet = need === null || this.#isMetByAll(need, offered);
    const met = need === null ? anywhere : this.#onAll;
    const placement = isMet ? met : this.#find(need, offered, false);
    if (placement !== null) {
      this.#reads[placement.role === 'replica' ? 'replica' : 'primary'] += 1;
    }
    return placement;
  }

  /** A read runs on the primary, because no replica could be offered. */
  substituted(): void {
    this.#reads.primary += 1;
  }

  /**
   * Waits until a replica has what a read needs, and no longer than `causalWait`.
   *
   * @param offered the replicas that it may be offered, at the time.
   */
  seek(need: Need, offered: () => readonly Host[], callback: (placement: Placement) => void): void {
    const settle = (placement: Placement) => {
      if (!waiter.isOver) {
        waiter.isOver = true;
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        this.#reads[placement.role === 'replica' ? 'waited' : 'primary'] += 1;
        callback(placement);
      }
    };
    const timer = setTimeout(() => {
      waiter.isLate = true;
      if (waiter.isProven || !need.scope?.claims.length) {
        settle(behind);
      }
    }, this.#options.causalWait);
    const waiter: Waiter = { need, offered, settle, ...newWaiter };
    this.#waiters.add(waiter);
    this.#prove(waiter);
  }

  /** What a session notes of a host that it reads from; `null` for the primary. */
  placeOf({ host, role }: Lease): Place | null {
    return role === 'replica' ? this.#replicas.placeOf(host) : null;
  }

  /** A session has seen what is in some place; `null`: on the primary. */
  saw(scope: ScopeMarks, place: Place | null): void {
    if (this.#hosts.primary.gtids === null && place === null) {
      scope.leavePlaces(Date.now());
      return;
    }
    scope.saw(place);
    if (place === null && this.#options.causalWait === 0) {
      // No read will wait for it, so that later ones find it done.
      const need = { process: null, scope };
      prove(need, this.#hosts.replicas, this.#replicas, this.#snapshots, () => {});
    }
  }

  #hostsChanged(): void {
    this.#replicas.follow();
    this.#snapshots.follow();
  }

  /**
   * Waits until a host that is to be the primary has what this process has written and knows of, for so
   * many milliseconds; tells whether it lacks something then.
   */
  async areLacking(host: Host, milliseconds: number): Promise<boolean> {
    const known = this.#ofProcess.process?.gtids ?? null;
    return known !== null && (await hasWithin(host, known, milliseconds)) === false;
  }

  /** What this process has written is lost, or a part of it: nobody waits for it any more. */
  forget(): void {
    this.#ofProcess.process?.forget();
  }

  /** Notes what a statement on the primary has written: see {@link Writes.note}. */
  note(written: Written, scope: ScopeMarks | null, callback: () => void): void {
    if (written.kind === 'told' && this.#options.consistency !== 'eventual') {
      // Somebody will want to read it.
      this.#replicas.prepare();
    }
    this.#writes.note(written, scope, callback);
  }

  /** Notes that something may have been written past us: see {@link Writes.noteMissed}. */
  noteMissed(scope: ScopeMarks | null): void {
    this.#writes.noteMissed(scope);
  }

  /**
   * Asks no more; who waits gets the primary.
   *
   * @returns whether anybody has waited.
   */
  close(): boolean {
    this.#snapshots.close();
    this.#replicas.close();
    const waiters = [...this.#waiters];
    for (const { settle } of waiters) {
      settle(behind);
    }
    return waiters.length > 0;
  }

  /** The usual case, and the quick way: outside of sessions, with replicas that keep up. */
  #isMetByAll({ process, scope }: Need, offered: readonly Host[]): boolean {
    return (
      scope === null &&
      process !== null &&
      !process.isOwed &&
      process.untoldAt === 0 &&
      (process.gtids === null || this.#replicas.allHave(offered, process.gtids))
    );
  }

  /**
   * Where a read may run by what is known now; `null`: somebody has to be asked.
   *
   * @param isProven whether the primary has been asked.
   */
  #find(need: Need, offered: readonly Host[], isProven: boolean): Placement | null {
    const { scope } = need;
    const error = badToken(scope);
    if (error !== null) {
      return { role: 'none', error };
    }
    const { causalWait, causalWindow } = this.#options;
    const replicas = this.#replicas;
    if (Date.now() < untoldAt(need) + causalWindow) {
      return inWindow;
    }
    const hasClaims = scope !== null && scope.claims.length > 0;
    if (this.#hosts.primary.gtids === null && (!hasClaims || isProven)) {
      return this.#findWithoutGtids(scope, offered);
    }
    if (isOwed(need)) {
      return isProven ? behind : null;
    }
    replicas.ask(offered, need);
    const isAdmitted = (host: HostInfo) =>
      replicas.admits(host, scope) && replicas.meets(host, need);
    if (offered.some(isAdmitted)) {
      return onReplicas(scope, isAdmitted);
    }
    if (hasClaims && !isProven) {
      return null;
    }
    if (offered.length === 0) {
      return onReplicas(scope, isAdmitted);
    }
    const isHopeless = offered.every((host) => replicas.isBehind(host));
    return isHopeless || causalWait === 0 ? behind : null;
  }

  /** Without GTIDs, a session stays where it is; once that is gone, time has to pass. */
  #findWithoutGtids(scope: ScopeMarks | null, offered: readonly HostInfo[]): Placement {
    if (scope === null) {
      return anywhere;
    }
    const isAdmitted = (host: HostInfo) => this.#replicas.admits(host, scope);
    if (offered.length === 0 || offered.some(isAdmitted)) {
      return onReplicas(scope, isAdmitted);
    }
    scope.leavePlaces(Date.now());
    return inWindow;
  }

  #prove(waiter: Waiter): void {
    const { need, offered, settle } = waiter;
    const proven = (error: Error | null) => {
      waiter.isProven = true;
      if (error !== null) {
        settle({ role: 'none', error });
      }
      this.#check(waiter);
    };
    prove(need, offered(), this.#replicas, this.#snapshots, proven);
  }

  #learned(): void {
    for (const waiter of [...this.#waiters]) {
      this.#check(waiter);
    }
  }

  #check({ need, offered, settle, isProven, isLate, isOver }: Waiter): void {
    if (isProven && !isOver) {
      const placement = this.#find(need, offered(), true) ?? (isLate ? behind : null);
      if (placement !== null) {
        settle(placement);
      }
    }
  }
}

const newWaiter = { isProven: false, isLate: false, isOver: false };
