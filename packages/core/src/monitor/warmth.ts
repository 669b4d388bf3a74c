import type { Host } from '../pool/host.ts';
import { allConnections, freeConnections, limitOf } from '../pool/mysql2.ts';

/** How often it is looked whether hosts have enough connections, in milliseconds. */
const interval = 10_000;

/** Keeps so many connections of each host open, so that no statement has to wait for a login. */
export class Warmth {
  readonly #hosts: () => readonly Host[];
  readonly #least: number;
  readonly #filling = new Set<Host>();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(hosts: () => readonly Host[], least: number) {
    this.#hosts = hosts;
    this.#least = least;
  }

  /** A host has been given something to do. */
  start(): void {
    if (this.#timer === null && this.#least > 0 && !this.#isClosed) {
      this.#timer = setInterval(() => this.look(), interval).unref();
      // When the statement that has started it has asked for its own.
      setImmediate(() => this.look());
    }
  }

  /** Looks now: a host has come, or come back. */
  look(): void {
    if (this.#timer === null || this.#isClosed) {
      return;
    }
    for (const host of this.#hosts()) {
      if (host.isUp && !this.#filling.has(host)) {
        this.#fill(host);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer ?? undefined);
  }

  #fill(host: Host): void {
    const most = Math.min(this.#least, limitOf(host.pool));
    const missing = most - allConnections(host.pool).length;
    // With the free ones, and all in one turn: else those would be had again, and no other opened.
    const wanted = missing > 0 ? missing + freeConnections(host.pool).length : 0;
    let open = wanted;
    for (let count = 0; count < wanted; count++) {
      this.#filling.add(host);
      host.lease((_failure, lease) => {
        lease?.giveBack();
        open -= 1;
        if (open === 0) {
          this.#filling.delete(host);
        }
      });
    }
  }
}
