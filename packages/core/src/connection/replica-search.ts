import type { ScopeMarks } from '../consistency/marks.ts';
import type { Need } from '../consistency/need.ts';
import type { Placement } from '../consistency/placement.ts';
import { RwSplitError } from '../errors.ts';
import type { Host } from '../pool/host.ts';
import type { Lease } from '../pool/lease.ts';
import type { ReplicaLimits, Selection, Shortage } from '../pool/replica-choice.ts';
import type { RouteReason } from '../routing/reasons.ts';
import type { Attempts } from './attempts.ts';
import type { Session } from './session.ts';
import type { SessionContext } from './task-queue.ts';
import type { Wishes } from './wishes.ts';

/** Where a plain read runs. */
export type Found =
  | { readonly kind: 'replica'; readonly lease: Lease }
  | { readonly kind: 'primary'; readonly reason: RouteReason }
  | { readonly kind: 'refused'; readonly error: Error };

/**
 * Finds a connection to a replica that may have a plain read: one that is there, does not lag too far
 * behind, and has what the read has to see, or gets it soon; else says why it runs on the primary.
 */
export class ReplicaSearch {
  readonly #context: SessionContext;
  readonly #session: Session;
  readonly #attempts: Attempts;
  readonly #selection: Selection;
  readonly #need: Need | null;
  readonly #callback: (found: Found) => void;
  /** How long it waited for a replica to have what the read has to see, in milliseconds. */
  waited = 0;

  constructor(
    context: SessionContext,
    session: Session,
    read: {
      readonly wishes: Wishes;
      readonly marks: ScopeMarks | null;
      readonly attempts: Attempts;
    },
    callback: (found: Found) => void,
  ) {
    const { wishes, marks, attempts } = read;
    this.#context = context;
    this.#session = session;
    this.#attempts = attempts;
    this.#selection = {
      tried: attempts.tried,
      group: wishes.group ?? 'default',
      isOnReplica: wishes.group !== null,
      maxLag: wishes.maxLag ?? context.policy.maxLag,
    };
    this.#need = context.causality.needOf(wishes.consistency, marks);
    this.#callback = callback;
  }

  run(): void {
    const { monitor } = this.#context;
    if (this.#selection.maxLag === null || monitor.hasLag) {
      this.#search();
      return;
    }
    // Nobody has asked for it yet, and who waits holds no connection that others may need.
    this.#session.moveTo('replica');
    monitor.measureLag().then(() => this.#search());
  }

  #search(): void {
    const { causality } = this.#context;
    const offered = this.#offered();
    if (offered.length === 0) {
      this.#doWithout();
      return;
    }
    const need = this.#need;
    const placement = causality.find(need, offered);
    if (placement !== null || need === null) {
      this.#take(placement, offered);
      return;
    }
    const startedAt = performance.now();
    this.#session.moveTo('replica');
    causality.seek(
      need,
      () => this.#offered(),
      (sought) => {
        this.waited += performance.now() - startedAt;
        this.#take(sought, this.#offered());
      },
    );
  }

  #offered(): readonly Host[] {
    return this.#attempts.hasTriedReplicas
      ? []
      : this.#context.hosts.choice.offered(this.#selection);
  }

  #take(placement: Placement | null, offered: readonly Host[]): void {
    if (placement?.role === 'none') {
      this.#callback({ kind: 'refused', error: placement.error });
    } else if (placement?.role === 'primary') {
      this.#callback({ kind: 'primary', reason: placement.reason });
    } else if (placement === null || offered.length === 0) {
      this.#doWithout();
    } else {
      this.#lease(placement, offered);
    }
  }

  #lease(limits: ReplicaLimits, offered: readonly Host[]): void {
    const session = this.#session;
    const held = session.lease;
    const isUsable = (host: Host) => host === held?.host && limits.admits(host);
    if (held?.role === 'replica' && offered.some(isUsable)) {
      this.#callback({ kind: 'replica', lease: held });
      return;
    }
    session.moveTo('replica');
    const host = this.#context.hosts.choice.pick(offered, limits, this.#selection);
    if (host === undefined) {
      this.#callback({ kind: 'primary', reason: 'replicas-behind' });
    } else if (host.role === 'primary') {
      this.#callback({ kind: 'primary', reason: 'primary-reads' });
    } else {
      host.lease((failure, lease) => {
        if (failure !== null || lease === undefined) {
          this.#attempts.failedOn(host, 'replica');
          this.#search();
        } else if (lease.role !== 'replica' || !limits.admits(host)) {
          // It came back as another one while it was waited for.
          lease.giveBack();
          this.#search();
        } else {
          this.#callback({ kind: 'replica', lease });
        }
      });
    }
  }

  #doWithout(): void {
    const { hosts, policy, causality } = this.#context;
    const { group } = this.#selection;
    if (!hosts.choice.hasGroup(group) && group !== 'default') {
      this.#callback({ kind: 'refused', error: noGroup(group, hosts.choice.groups) });
      return;
    }
    const shortage = this.#attempts.hasTriedReplicas
      ? 'unavailable'
      : hosts.choice.shortageOf(this.#selection);
    const isRefused =
      shortage === 'lagging' ? policy.onLag === 'error' : policy.onNoReplica === 'error';
    if (isRefused) {
      this.#callback({ kind: 'refused', error: noReplica(shortage) });
    } else {
      causality.substituted();
      this.#callback({ kind: 'primary', reason: `replicas-${shortage}` });
    }
  }
}

function noGroup(group: string, groups: readonly string[]): RwSplitError {
  const known = groups.map((one) => `'${one}'`).join(', ');
  return new RwSplitError(
    'RWSPLIT_OPTIONS',
    `useReplica: expected a group that a replica is in (${known}), found '${group}'`,
  );
}

function noReplica(shortage: Shortage): RwSplitError {
  return shortage === 'lagging'
    ? new RwSplitError(
        'RWSPLIT_REPLICAS_LAGGING',
        'Every replica lags behind by more than `maxLag`, or does not say by how much, and `onLag` keeps the read from the primary',
        { isRetryable: true },
      )
    : new RwSplitError(
        'RWSPLIT_NO_REPLICA',
        'Every replica is out of service, and `onNoReplica` keeps the read from the primary',
        { isRetryable: true },
      );
}
