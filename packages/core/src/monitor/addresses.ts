import dns from 'node:dns';
import { isIP } from 'node:net';
import type { Host } from '../pool/host.ts';

/** Between two looks at least, in milliseconds. */
const pause = 1_000;
/** So many answers are remembered of each name. */
const remembered = 8;

/** Looks up now and then where the names of hosts lead, so that their connections follow. */
export class Addresses {
  readonly #hosts: () => readonly Host[];
  readonly #interval: number | false;
  /** Where the names led when they were looked up the last times. */
  readonly #known = new WeakMap<Host, readonly ReadonlySet<string>[]>();
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

  /** A name may lead to several, one after the other: only one that leads nowhere it led before has moved. */
  #compare(host: Host, found: ReadonlySet<string>): void {
    const before = this.#known.get(host) ?? [];
    const isKnown = [...found].some((address) => before.some((set) => set.has(address)));
    this.#known.set(host, [found, ...(isKnown ? before : [])].slice(0, remembered));
    if (before.length > 0 && !isKnown) {
      host.replaceConnections();
    }
  }
}
