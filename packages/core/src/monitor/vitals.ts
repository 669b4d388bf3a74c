import { isBusy, isOfServer } from '../pool/failure.ts';
import type { Host } from '../pool/host.ts';
import { tryLogin } from '../pool/side-connection.ts';

/** How long a host that gave no sign of life is given until it is asked again, in milliseconds. */
const secondThought = 100;

/**
 * Watches over the lives of hosts, with no connection and no timer while all is well: asks those of which
 * a connection broke, or that have not answered for a while, and tries again those that are down.
 */
export class Vitals {
  readonly #hosts: () => readonly Host[];
  /** How long a host may take to answer, and how often it is looked whether it does, in milliseconds. */
  readonly #timeout: number;
  readonly #interval: number;
  /** How long the primary is given before what runs there is given up, in milliseconds. */
  readonly #patience: number;
  readonly #trials = new Map<Host, NodeJS.Timeout>();
  readonly #asked = new Set<Host>();
  /** How many statements a busy host had answered when it was looked at last. */
  readonly #answers = new Map<Host, number>();
  readonly #silentSince = new Map<Host, number>();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(
    hosts: () => readonly Host[],
    { timeout, interval, patience }: { timeout: number; interval: number; patience: number },
  ) {
    this.#hosts = hosts;
    this.#timeout = timeout;
    this.#interval = interval;
    this.#patience = patience;
  }

  /** A host has been given something to do. */
  watch(): void {
    if (this.#timer === null && !this.#isClosed) {
      this.#timer = setInterval(() => this.#look(), this.#interval).unref();
    }
  }

  /** To be told of each change of a host's health. */
  healthChanged(host: Host): void {
    const { state, retryAt, isTried } = host.health;
    if (state === 'suspect') {
      this.#ask(host);
    } else if (state === 'down' && !isTried) {
      this.#tryAt(host, retryAt);
    } else if (state !== 'down') {
      this.#silentSince.delete(host);
    }
  }

  /** Has nothing more to do with a host. */
  forget(host: Host): void {
    clearTimeout(this.#trials.get(host));
    this.#trials.delete(host);
    this.#answers.delete(host);
    this.#silentSince.delete(host);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer ?? undefined);
    for (const timer of this.#trials.values()) {
      clearTimeout(timer);
    }
  }

  /** A host that has had something to do all the time, and has answered nothing, is asked why. */
  #look(): void {
    let isBusy = false;
    for (const host of this.#hosts()) {
      const before = this.#answers.get(host);
      if (host.outstanding === 0) {
        this.#answers.delete(host);
        continue;
      }
      isBusy = true;
      this.#answers.set(host, host.answers);
      if (before === host.answers && host.isReachable) {
        this.#ask(host);
      }
    }
    if (!isBusy) {
      clearInterval(this.#timer ?? undefined);
      this.#timer = null;
    }
  }

  /** Whatever the server says shows that it is there: a slow query is no fault of it. */
  #ask(host: Host): void {
    if (!this.#asked.has(host) && !this.#isClosed) {
      this.#asked.add(host);
      void this.#examine(host).finally(() => this.#asked.delete(host));
    }
  }

  async #examine(host: Host): Promise<void> {
    const { answers } = host;
    for (const isLast of [false, true]) {
      const error = await tryLogin(host, this.#timeout);
      if (this.#isClosed || !host.isReachable) {
        return;
      }
      // It may be slow to let anybody in, and quick to answer those who are.
      if (error === null || isOfServer(error) || host.answers !== answers) {
        host.heard();
        return;
      }
      if (isLast || error.code !== 'ETIMEDOUT') {
        host.failed(error);
        this.#giveUp(host);
        return;
      }
      // Once may be chance: it is only avoided until it is asked again.
      host.connectionLost(error.code);
      await new Promise((resolve) => setTimeout(resolve, secondThought).unref());
    }
  }

  #tryAt(host: Host, at: number): void {
    clearTimeout(this.#trials.get(host));
    if (!this.#isClosed) {
      const timer = setTimeout(() => this.#try(host), Math.max(0, at - Date.now()));
      this.#trials.set(host, timer.unref());
    }
  }

  #try(host: Host): void {
    this.#trials.delete(host);
    host.tried();
    void tryLogin(host, this.#timeout).then((error) => {
      if (this.#isClosed || host.health.state !== 'down') {
        return;
      }
      if (error === null || isBusy(error)) {
        host.tryOut();
        return;
      }
      host.failed(error);
      if (!isOfServer(error)) {
        this.#giveUp(host);
      }
    });
  }

  /**
   * What runs on a host that is silent for good would wait for as long as the network does. Reads go
   * elsewhere; of a write nobody knows what became of it, so that the primary is given more time.
   */
  #giveUp(host: Host): void {
    const now = performance.now();
    const since = this.#silentSince.get(host) ?? now;
    this.#silentSince.set(host, since);
    if (host.role === 'replica' || now - since > this.#patience) {
      host.abort();
    }
  }
}
