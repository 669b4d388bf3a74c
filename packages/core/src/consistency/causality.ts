import { RwSplitError } from '../errors.ts';
import { contains, type GtidSet, parseGtidSet } from '../gtid/set.ts';
import type { Host } from '../pool/host.ts';
import type { HostInfo } from '../pool/host-info.ts';
import type { Hosts, ReplicaLimits } from '../pool/hosts.ts';
import type { Told, Written } from '../session/written.ts';
import type { Consistency } from './levels.ts';
import { type Claim, type ScopeMarks, WriteMarks } from './marks.ts';
import { isMetBy, type Need, needOf, requiredBy, untoldAt } from './need.ts';
import { Snapshots } from './snapshots.ts';
import { Watch } from './watch.ts';

/** The options of {@link Causality}. */
export interface CausalityOptions {
  readonly consistency?: Consistency | undefined;
  readonly causalWait: number;
  readonly causalWindow: number;
  readonly cluster: string;
}

/** Where a plain read may run. */
export type Placement =
  | ({ readonly role: 'replica' } & ReplicaLimits)
  | { readonly role: 'primary'; readonly reason: 'replicas-behind' | 'causal-window' }
  | { readonly role: 'none'; readonly error: Error };

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
  readonly tried: readonly HostInfo[];
  readonly timer: NodeJS.Timeout;
  readonly settle: (placement: Placement) => void;
  isOver: boolean;
}

/** What pools on the same servers have in common. */
export interface Servers {
  readonly cluster: string;
  /** What this process has written. */
  readonly written: WriteMarks;
}

const named = new Map<string, Servers>();

/** Pools whose servers have a name share what is written there. */
function serversOf(cluster: string): Servers {
  const known = cluster === '' ? undefined : named.get(cluster);
  const servers = known ?? { cluster, written: new WriteMarks() };
  if (cluster !== '') {
    named.set(cluster, servers);
  }
  return servers;
}

const anywhere: Placement = {
  role: 'replica',
  admits: () => true,
  preferred: null,
  chosen: () => {},
};
const behind: Placement = { role: 'primary', reason: 'replicas-behind' };
const inWindow: Placement = { role: 'primary', reason: 'causal-window' };

/** Sees to it that reads find what was written before them, wherever they run. */
export class Causality {
  readonly #options: CausalityOptions;
  readonly #hosts: Hosts;
  readonly #watches = new Map<HostInfo, Watch>();
  readonly #snapshots: Snapshots;
  readonly #waiters = new Set<Waiter>();
  readonly #reads = { replica: 0, waited: 0, primary: 0 };
  #servers: Servers;
  #hasWarned = false;

  constructor(options: CausalityOptions, hosts: Hosts) {
    this.#options = options;
    this.#hosts = hosts;
    this.#servers = serversOf(options.cluster);
    this.#snapshots = new Snapshots(() => hosts.primary);
    for (const host of hosts.replicas) {
      const watch = new Watch(host, options.causalWait, () => this.#learned());
      this.#watches.set(host, watch);
    }
  }

  /** What sessions keep their marks by. */
  get servers(): Servers {
    return this.#servers;
  }

  /** Goes on for another pool on the same servers. */
  continue(previous: Causality): void {
    this.#servers = previous.#servers;
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
  needOf(wish: Consistency | null, scope: ScopeMarks<HostInfo> | null): Need | null {
    const level = wish ?? this.#options.consistency ?? (scope === null ? 'process' : 'session');
    return needOf(level, this.#servers.written, scope);
  }

  /** Where a read may run now; `null` if that has to be waited for: see {@link seek}. */
  find(need: Need | null, tried: readonly HostInfo[]): Placement | null {
    const placement = need === null ? anywhere : this.#find(need, tried);
    if (placement !== null) {
      this.#reads[placement.role === 'replica' ? 'replica' : 'primary'] += 1;
    }
    return placement;
  }

  /** Waits until a replica has what a read needs, and no longer than `causalWait`. */
  seek(need: Need, tried: readonly HostInfo[], callback: (placement: Placement) => void): void {
    const settle = (placement: Placement) => {
      if (!waiter.isOver) {
        waiter.isOver = true;
        clearTimeout(waiter.timer);
        this.#waiters.delete(waiter);
        this.#reads[placement.role === 'replica' ? 'waited' : 'primary'] += 1;
        callback(placement);
      }
    };
    const timer = setTimeout(() => settle(behind), this.#options.causalWait);
    const waiter: Waiter = { need, tried, timer, settle, isOver: false };
    this.#prove(waiter, () => {
      if (!waiter.isOver) {
        this.#waiters.add(waiter);
        this.#check(waiter);
      }
    });
  }

  /**
   * Notes what the answer of a statement on the primary says of writes; calls back, at once if it says
   * it all, when reads that come later will find them.
   */
  note(written: Written, scope: ScopeMarks<HostInfo> | null, callback: () => void): void {
    switch (written.kind) {
      case 'none':
        callback();
        break;
      case 'told':
        this.#noteText(written, scope);
        callback();
        break;
      case 'hidden':
        this.#noteHidden(scope, callback);
        break;
      case 'unknown':
        this.#noteSet(null, scope);
        callback();
        break;
    }
  }

  /** Asks no more; who waits gets the primary. */
  close(): void {
    this.#snapshots.close();
    for (const watch of this.#watches.values()) {
      watch.close();
    }
    for (const { settle } of [...this.#waiters]) {
      settle(behind);
    }
  }

  #noteText({ text, dialect }: Told, scope: ScopeMarks<HostInfo> | null): void {
    this.#noteSet(parseGtidSet(text, dialect), scope);
  }

  #noteHidden(scope: ScopeMarks<HostInfo> | null, callback: () => void): void {
    if (this.#hosts.primary.gtids === null) {
      this.#noteSet(null, scope);
      callback();
      return;
    }
    this.#snapshots.take((executed) => {
      this.#noteSet(executed, scope);
      callback();
    });
  }

  /** @param set `null` if nobody knows it. */
  #noteSet(set: GtidSet | null, scope: ScopeMarks<HostInfo> | null): void {
    const now = Date.now();
    for (const marks of [this.#servers.written, ...(scope === null ? [] : [scope.written])]) {
      if (set === null) {
        marks.addUntold(now);
      } else {
        marks.add(set);
      }
    }
    if (set !== null && this.#options.consistency !== 'eventual') {
      // Somebody will want to read it.
      for (const watch of this.#watches.values()) {
        watch.prepare();
      }
    }
    if (set === null && scope === null) {
      this.#warn();
    }
  }

  /** Outside sessions, the writes of one send the reads of all to the primary. */
  #warn(): void {
    if (
      this.#hasWarned ||
      this.#hosts.primary.gtids !== null ||
      this.#hosts.replicas.length === 0
    ) {
      return;
    }
    this.#hasWarned = true;
    process.emitWarning(
      `rwsplit: the primary gives its transactions no GTIDs, so after a write outside of sessions all reads of this process stay on the primary for ${this.#options.causalWindow} ms; turn on GTIDs, or use withSession()`,
      { type: 'RwSplitWarning', code: 'RWSPLIT_NO_GTIDS' },
    );
  }

  /** Where a read may run by what is known now; `null`: somebody has to be asked. */
  #find(need: Need, tried: readonly HostInfo[]): Placement | null {
    const { scope } = need;
    if (Date.now() < untoldAt(need) + this.#options.causalWindow) {
      return inWindow;
    }
    const hosts = this.#candidates(tried);
    if (hosts.length === 0) {
      return anywhere;
    }
    if (this.#hosts.primary.gtids === null && (scope?.claim ?? null) === null) {
      return this.#findWithoutGtids(scope, hosts);
    }
    const lacking = hosts.filter((host) => !this.#has(host, need));
    for (const host of lacking) {
      this.#watch(host)?.want(requiredBy(need));
    }
    const isAdmitted = (host: HostInfo) =>
      (scope === null || scope.admits(host)) && this.#has(host, need);
    if (hosts.some(isAdmitted)) {
      return on(scope, isAdmitted);
    }
    const isHopeless = hosts.every((host) => this.#watch(host)?.isBehind);
    return isHopeless || this.#options.causalWait === 0 ? behind : null;
  }

  /** Without GTIDs, a session stays where it is; once that is gone, time has to pass. */
  #findWithoutGtids(scope: ScopeMarks<HostInfo> | null, hosts: readonly Host[]): Placement {
    if (scope === null) {
      return anywhere;
    }
    const isAdmitted = (host: HostInfo) => scope.admits(host);
    if (hosts.some(isAdmitted)) {
      return on(scope, isAdmitted);
    }
    scope.forgetReads();
    scope.written.addUntold(Date.now());
    return inWindow;
  }

  #candidates(tried: readonly HostInfo[]): Host[] {
    const now = Date.now();
    return this.#hosts.replicas.filter((host) => !tried.includes(host) && host.isAvailable(now));
  }

  #has(host: HostInfo, need: Need): boolean {
    const watch = this.#watch(host);
    return watch !== undefined && isMetBy(need, (set) => watch.has(set));
  }

  #watch(host: HostInfo): Watch | undefined {
    return this.#watches.get(host);
  }

  /**
   * Asks the primary, if it must be, what it has: for a token, which may say anything; and where a
   * session has seen more than its own writes, and cannot stay where it has seen it.
   */
  #prove(waiter: Waiter, callback: () => void): void {
    const { scope } = waiter.need;
    if (scope === null) {
      callback();
      return;
    }
    const hosts = this.#candidates(waiter.tried);
    const claim = this.#openClaim(scope, hosts);
    const canStay = hosts.some(
      (host) => scope.admits(host) && this.#watch(host)?.isBehind === false,
    );
    if (claim === null && canStay) {
      callback();
      return;
    }
    const upTo = scope.reads;
    this.#snapshots.take((executed) => {
      if (executed === null) {
        // Without the primary nobody can say more of the token, or of what was read.
        this.#wantClaim(claim, hosts);
        callback();
        return;
      }
      if (!canStay) {
        scope.proveReads(upTo, executed);
      }
      if (claim !== null) {
        this.#judge(claim, executed, waiter);
      }
      callback();
    });
  }

  /** The token that nobody knows to be true; `null`: there is none. */
  #openClaim(scope: ScopeMarks<HostInfo>, hosts: readonly Host[]): Claim | null {
    const { claim } = scope;
    if (claim !== null && hosts.some((host) => this.#watch(host)?.has(claim.set))) {
      scope.proveClaim(claim);
    }
    return scope.claim;
  }

  #wantClaim(claim: Claim | null, hosts: readonly Host[]): void {
    if (claim !== null) {
      for (const host of hosts) {
        this.#watch(host)?.want([claim.set]);
      }
    }
  }

  #judge(claim: Claim, executed: GtidSet, { need, settle }: Waiter): void {
    if (contains(executed, claim.set)) {
      need.scope?.proveClaim(claim);
      return;
    }
    need.scope?.dropClaim(claim);
    if (claim.onBadToken === 'error') {
      settle({ role: 'none', error: foreignToken() });
    }
  }

  #learned(): void {
    for (const waiter of [...this.#waiters]) {
      this.#check(waiter);
    }
  }

  #check({ need, tried, settle }: Waiter): void {
    const placement = this.#find(need, tried);
    if (placement !== null) {
      settle(placement);
    }
  }
}

function on(scope: ScopeMarks<HostInfo> | null, admits: (host: HostInfo) => boolean): Placement {
  return {
    role: 'replica',
    admits,
    preferred: scope?.preferred ?? null,
    chosen: (host) => scope?.lean(host),
  };
}

function foreignToken(): RwSplitError {
  return new RwSplitError(
    'RWSPLIT_TOKEN',
    'The token of this session names writes that its primary does not know: it is of other servers, ' +
      'or they have lost what it names',
  );
}
