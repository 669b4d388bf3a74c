import { RwSplitError } from '../errors.ts';
import type { Host } from '../pool/host.ts';
import type { Hosts } from '../pool/hosts.ts';
import { answers } from '../pool/side-connection.ts';

/** What has to be there before the first statement runs. */
export interface GateOptions {
  readonly allowPrimaryDown: boolean;
  readonly allowReplicasDown: boolean;
}

type GateCallback = (error: Error | null) => void;

/** Keeps statements back until the hosts have been reached once that must be there; then it stays open. */
export class Gate {
  readonly #hosts: Hosts;
  readonly #options: GateOptions;
  #isOpen: boolean;
  #waiting: GateCallback[] = [];

  constructor(hosts: Hosts, options: GateOptions) {
    this.#hosts = hosts;
    this.#options = options;
    this.#isOpen = options.allowPrimaryDown && options.allowReplicasDown;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Calls back with an error if a host cannot be reached now; the next statement tries again. */
  pass(callback: GateCallback): void {
    this.#waiting.push(callback);
    if (this.#waiting.length === 1) {
      this.#try().then((error) => {
        this.#isOpen = error === null;
        for (const goOn of this.#waiting.splice(0)) {
          // Each by itself, so that one that throws does not take the others with it.
          process.nextTick(goOn, error);
        }
      });
    }
  }

  async #try(): Promise<Error | null> {
    const { allowPrimaryDown, allowReplicasDown } = this.#options;
    const error = allowPrimaryDown ? null : await this.#reachPrimary();
    return error ?? (allowReplicasDown ? null : await this.#reachReplica());
  }

  #reachPrimary(): Promise<Error | null> {
    return new Promise((resolve) => {
      this.#hosts.leasePrimary((failure, lease) => {
        lease?.giveBack();
        resolve(failure?.error ?? null);
      });
    });
  }

  async #reachReplica(): Promise<Error | null> {
    const { replicas } = this.#hosts;
    const reached = await Promise.all(replicas.map((host: Host) => answers(host)));
    return replicas.length === 0 || reached.includes(true)
      ? null
      : new RwSplitError(
          'RWSPLIT_NO_REPLICA',
          'No replica can be reached, and `allowReplicasDown` is off: nothing was sent',
          { isRetryable: true },
        );
  }
}
