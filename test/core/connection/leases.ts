import { Lease, type LeasingHost, type Traces } from '../../../packages/core/src/pool/lease.ts';
import type { RawConnection } from '../../../packages/core/src/pool/mysql2.ts';
import type { Role } from '../../../packages/core/src/routing/reasons.ts';

/** A host that notes what becomes of its leases. */
export class NotedHost implements LeasingHost {
  readonly name: string;
  readonly role: Role;
  readonly log: string[] = [];
  /** Whether it refuses to remember: somebody waits for a connection. */
  isBusy = false;
  /** Whether its connections are to be closed when they are given back. */
  isReplaced = false;
  running = 0;
  #onTaken: (() => void) | null = null;

  constructor(role: Role) {
    this.name = role;
    this.role = role;
  }

  /** One more lease on a new connection of its own, or on this one. */
  lease(connection: RawConnection = this.connect()): Lease {
    return new Lease(this, connection);
  }

  connect(): RawConnection {
    const connection = {
      release: () => this.log.push('released'),
      destroy: () => this.log.push('closed'),
      stream: { destroy: () => {} },
    };
    return connection as unknown as RawConnection;
  }

  connectionLost(): void {
    this.log.push('lost');
  }

  answered(): void {}

  hasReplaced(): boolean {
    return this.isReplaced;
  }

  leaseEnded(): void {
    this.log.push('ended');
  }

  clean(_lease: Lease, { mayUseDatabase }: Traces): void {
    this.log.push(mayUseDatabase ? 'cleaned of a database' : 'cleaned');
  }

  remember(lease: Lease, isBrief: boolean, onTaken: () => void): void {
    if (this.isBusy) {
      lease.giveBack();
      onTaken();
      return;
    }
    this.log.push(isBrief ? 'remembered briefly' : 'remembered');
    this.#onTaken = onTaken;
  }

  recall(): boolean {
    const wasThere = this.#onTaken !== null;
    this.#onTaken = null;
    this.log.push(wasThere ? 'recalled' : 'missed');
    return wasThere;
  }

  /** Somebody else needs what was remembered. */
  take(): void {
    const onTaken = this.#onTaken;
    this.#onTaken = null;
    onTaken?.();
  }

  /** The connection is gone, which its session learns when it wants it again. */
  lose(): void {
    this.#onTaken = null;
  }
}

/** A lease on a host of its own. */
export function leaseOn(role: Role): { host: NotedHost; lease: Lease } {
  const host = new NotedHost(role);
  return { host, lease: host.lease() };
}
