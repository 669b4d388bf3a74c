import dns from 'node:dns';
import { isIP } from 'node:net';
import type { Host } from '../pool/host.ts';

/** Between two looks at least, in milliseconds. */
const pause = 1_000;
/** So many answers are remembered of each name. */
const remembered = 8;
/** A name that has gone back to where it led before more often leads to several servers in turn. */
const mostReturns = 3;

/** Where a name led when it was looked up the last times. */
interface Trail {
  /** The newest first. */
  readonly sets: readonly ReadonlySet<string>[];
  readonly returns: number;
}

function overlap(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return [...one].some((address) => other.has(address));
}

/** Looks up now and then where the names of hosts lead, so that their connections follow. */
export class Addresses {
  readonly #hosts: () => readonly Host[];
  readonly #interval: number | false;
  readonly #trails = new WeakMap<Host, Trail>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  /** @param interval between two looks, in milliseconds; `false`: never. */
  constructor(hosts: () => readonly Host[], interval: number | false) {
    this.#hosts = hosts;
    this.#interval = interval;
  }

  /** A host has been given something to do. */
  start(): void {
    if (this.#timer === null && this.#interval !== false && !this.#isClosed) {
      this.#timer = setInterval(() => this.look(), this.#interval).unref();
      this.look();
    }
  }

  /** Looks now, if that has not just been done: a host may have moved. */
  look(): void {
    const now = performance.now();
    if (
      this.#interval === false ||
      this.#isClosed ||
      now - this.#lookedAt < Math.min(pause, this.#interval / 2)
    ) {
      return;
    }
    this.#lookedAt = now;
    for (const host of this.#hosts()) {
      const { host: name, socketPath } = host.pool.config.connectionConfig;
      if (name !== undefined && socketPath === undefined && isIP(name) === 0) {
        this.#lookUp(host, name);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer ?? undefined);
  }

  #lookUp(host: Host, name: string): void {
    dns.lookup(name, { all: true }, (error, found) => {
      if (error === null && found.length > 0 && !this.#isClosed) {
        this.#compare(host, new Set(found.map(({ address }) => address)));
      }
    });
  }

  /** A name may lead to several, at once or in turn: only one that leads nowhere it led just before has moved. */
  #compare(host: Host, found: ReadonlySet<string>): void {
    const trail = this.#trails.get(host) ?? { sets: [], returns: 0 };
    const [last] = trail.sets;
    const isSame = last === undefined || overlap(found, last);
    const isReturn = !isSame && trail.sets.some((set) => overlap(found, set));
    const returns = trail.returns + (isReturn ? 1 : 0);
    this.#trails.set(host, { sets: [found, ...trail.sets].slice(0, remembered), returns });
    // To go back is to move, too; but not for a name that does nothing else.
    if (!isSame && !(isReturn && returns > mostReturns)) {
      host.replaceConnections();
    }
  }
}
