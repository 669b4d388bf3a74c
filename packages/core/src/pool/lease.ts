import type { HostInfo } from './host-info.ts';
import type { RawConnection } from './mysql2.ts';

/** What a lease needs of the host that it is from. */
export interface LeasingHost extends HostInfo {
  /** Called once, when the lease ends. */
  leaseEnded(connection: RawConnection): void;
}

/** One checkout of a physical connection. It ends exactly once, whoever ends it first. */
export class Lease {
  readonly host: LeasingHost;
  readonly connection: RawConnection;
  #hasEnded = false;

  constructor(host: LeasingHost, connection: RawConnection) {
    this.host = host;
    this.connection = connection;
  }

  /** Gives the connection back for its next user, who will find nothing of this one. */
  giveBack(): void {
    if (this.#end()) {
      this.connection.release();
    }
  }

  /** Closes a connection that nobody else must meet: dirty, broken, or busy with what was given up. */
  discard(): void {
    if (this.#end()) {
      this.connection.destroy();
    }
  }

  #end(): boolean {
    if (this.#hasEnded) {
      return false;
    }
    this.#hasEnded = true;
    this.host.leaseEnded(this.connection);
    return true;
  }
}
