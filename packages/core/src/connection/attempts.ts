import type { HostInfo } from '../pool/host-info.ts';
import type { Failure } from '../routing/failure.ts';
import type { Role } from '../routing/reasons.ts';

/** A statement that was not sent may meet so many connections of the primary that are closed already. */
const mostUnsent = 3;
/** So many replicas are tried; after that the primary is surer. */
const mostReplicas = 3;

/** Where a statement has failed so far, and whether it may be tried again. */
export class Attempts {
  readonly tried: HostInfo[] = [];
  readonly #patience: number;
  #failedAt = 0;
  #onPrimary = 0;

  /** @param patience for how long after its first failure it may be tried again, in milliseconds. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  failedOn(host: HostInfo, role: Role): void {
    this.#failedAt ||= performance.now();
    this.tried.push(host);
    this.#onPrimary += role === 'primary' ? 1 : 0;
  }

  /** Whether no further replica is tried. */
  get hasTriedReplicas(): boolean {
    return this.tried.length >= mostReplicas || this.#isLate;
  }

  /** Whether it is not tried again after it has failed once more. */
  isExhausted(role: Role, failure: Failure): boolean {
    const most = failure === 'not-sent' ? mostUnsent : 1;
    return this.#isLate || (role === 'primary' && this.#onPrimary >= most);
  }

  get #isLate(): boolean {
    return this.#failedAt > 0 && performance.now() - this.#failedAt > this.#patience;
  }
}
