import { compact, contains, type GtidSet, isEmptySet, joined } from '../gtid/set.ts';
import type { TokenPart } from '../gtid/token.ts';
import type { HostInfo } from '../pool/host-info.ts';

/** One life of a replica: from when it was reached to when it was lost. */
export type Place = object;

/** What to do with a token that names writes which the primary does not know. */
export type OnBadToken = 'error' | 'ignore';

/** The writes that a token names, until the primary is known to have made them. */
export interface Claim {
  readonly set: GtidSet;
  readonly onBadToken: OnBadToken;
  /** Whether it is false, and every read is to be refused that needs it. */
  readonly isBad: boolean;
}

/**
 * Between the GTIDs of one process lie those of others. So many intervals are kept; after that the
 * smallest gaps are closed, and a read waits for others' writes too, which come in the same order.
 */
const mostIntervals = 64;

/** Writes as later reads have to see them. */
export class WriteMarks {
  #gtids: GtidSet | null = null;
  #untoldAt = 0;
  #debts = 0;
  #paid = 0;
  #asked = 0;

  /** What the server has told of them; `null`: nothing. */
  get gtids(): GtidSet | null {
    return this.#gtids;
  }

  /** When the last one was made of which no server has told a GTID, in milliseconds since the epoch; 0: none. */
  get untoldAt(): number {
    return this.#untoldAt;
  }

  /** How many writes there were that the primary has to be asked for. */
  get debts(): number {
    return this.#debts;
  }

  /** Whether the primary has still to say what was written. */
  get isOwed(): boolean {
    return this.#debts > this.#paid || this.#asked > 0;
  }

  /** The primary is being asked for something that nobody was told of: what it cannot say does not matter. */
  ask(): void {
    this.#asked += 1;
  }

  answer(): void {
    this.#asked -= 1;
  }

  owe(): void {
    this.#debts += 1;
  }

  /** The primary has executed a set, and so the first so many writes that it was to be asked for. */
  pay(debts: number, executed: GtidSet): void {
    if (this.#paid < debts && this.add(executed)) {
      this.#paid = debts;
    }
  }

  /** Whether it could be noted: not if it is of the other dialect, and so of other servers. */
  add(gtids: GtidSet): boolean {
    if (this.#gtids !== null && this.#gtids.dialect !== gtids.dialect) {
      return false;
    }
    if (!isEmptySet(gtids)) {
      this.#gtids = compact(joined(this.#gtids, gtids), mostIntervals);
    }
    return true;
  }

  /** What was written is lost: nobody can see it any more. */
  forget(): void {
    this.#gtids = null;
  }

  addUntold(at: number): void {
    this.#untoldAt = Math.max(this.#untoldAt, at);
  }
}

/**
 * What one session has written and seen on the servers of one pool, and so what its next read has to
 * see.
 */
export class ScopeMarks {
  /** The name of the servers in tokens. */
  readonly cluster: string;
  readonly written = new WriteMarks();
  #claims: readonly Claim[] = [];
  /** What the primary had when everything that was read until then had been read. */
  #read: GtidSet | null = null;
  /** Grows with each read that showed rows. */
  #reads = 0;
  /** Replicas that have shown it rows that {@link #read} may lack, by the last such read. */
  readonly #places = new Map<Place, number>();
  /** The last read on the primary whose rows {@link #read} may lack; 0: none. */
  #onPrimary = 0;
  /** The replica that its first read was sent to: reads at the same time go there too. */
  #preferred: HostInfo | null = null;
  /** Where there are no GTIDs: when it had to leave the place that it had read from; 0: never. */
  #leftAt = 0;

  constructor(cluster: string) {
    this.cluster = cluster;
  }

  /** Takes over what a token says. */
  follow({ position }: TokenPart, onBadToken: OnBadToken, now: number): void {
    if (position.kind === 'time') {
      // A clock that is ahead, or a forged token, must not ask for more than one window.
      this.written.addUntold(Math.min(position.at, now));
      return;
    }
    const { set } = position;
    const isKnown = this.#claims.some(
      (claim) => claim.onBadToken === onBadToken && contains(claim.set, set),
    );
    if (!isKnown) {
      this.#claims = [...this.#claims, { set, onBadToken, isBad: false }];
    }
  }

  /** What tokens say, as long as nobody knows whether the primary has made it. */
  get claims(): readonly Claim[] {
    return this.#claims;
  }

  /** The primary has made what a token says: it counts as the session's own. */
  proveClaim(claim: Claim): void {
    this.written.add(claim.set);
    this.#claims = this.#claims.filter((one) => one !== claim);
  }

  /** The primary does not know what a token says. */
  refuteClaim(claim: Claim): void {
    const others = this.#claims.filter((one) => one !== claim);
    this.#claims = claim.onBadToken === 'error' ? [...others, { ...claim, isBad: true }] : others;
  }

  /** Whether a replica has all that it must have for the next read. */
  isHadBy(has: (set: GtidSet) => boolean): boolean {
    const { gtids } = this.written;
    return (
      (gtids === null || has(gtids)) &&
      (this.#read === null || has(this.#read)) &&
      this.#claims.every((claim) => has(claim.set))
    );
  }

  /** What a replica must have for the next read, but for what a token only claims. */
  get required(): readonly GtidSet[] {
    return [this.written.gtids, this.#read].filter((set) => set !== null);
  }

  /** A read was sent to a replica. */
  lean(host: HostInfo): void {
    this.#preferred = host;
  }

  get preferred(): HostInfo | null {
    return this.#preferred;
  }

  /** A replica has shown it rows; `null`: the primary has. */
  saw(place: Place | null): void {
    this.#reads += 1;
    if (place === null) {
      this.#onPrimary = this.#reads;
    } else {
      this.#places.set(place, this.#reads);
    }
  }

  /** Whether a replica shows nothing older than what it has seen, if it has all that is required. */
  admits(place: Place): boolean {
    if (this.#onPrimary > 0) {
      return false;
    }
    return this.#places.size === 0 || (this.#places.size === 1 && this.#places.has(place));
  }

  /** Which reads there have been, for {@link proveReads}. */
  get reads(): number {
    return this.#reads;
  }

  /**
   * Notes that the primary had a GTID set after so many reads: a replica that has it shows nothing
   * older than these did.
   */
  proveReads(upTo: number, set: GtidSet): void {
    this.#read = joined(this.#read, set);
    this.#forget(upTo);
  }

  /** What it has seen until now will be everywhere when some time has passed. */
  leavePlaces(now: number): void {
    this.#leftAt = now;
    this.#forget(this.#reads);
  }

  get leftAt(): number {
    return this.#leftAt;
  }

  #forget(upTo: number): void {
    if (this.#onPrimary <= upTo) {
      this.#onPrimary = 0;
    }
    for (const [place, read] of this.#places) {
      if (read <= upTo) {
        this.#places.delete(place);
      }
    }
    this.#preferred = null;
  }
}
