import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Cluster, ClusterInfo } from '../support/servers/cluster.ts';
import type { Reply, Request } from './messages.ts';
import type { Totals } from './tally.ts';
import type { Turn, TurnResult } from './turn.ts';

const program = fileURLToPath(new URL('worker.ts', import.meta.url));

interface Waiting {
  readonly resolve: (value: TurnResult) => void;
  readonly reject: (error: Error) => void;
}

/** A second process with pools of its own over the same cluster. */
export class OtherProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed: Promise<Totals>;
  #close: (totals: Totals) => void = () => {};
  #break: (error: Error) => void = () => {};
  #turns = 0;

  constructor(cluster: Cluster & { readonly info: ClusterInfo }, writers: number) {
    this.#child = fork(program, {
      // That replicas go down is the point here.
      execArgv: ['--import', 'tsx', '--disable-warning=RWSPLIT_REPLICA_DOWN'],
    });
    this.#closed = new Promise((resolve, reject) => {
      this.#close = resolve;
      this.#break = reject;
    });
    this.#child.on('message', (message) => this.#receive(message as Reply));
    this.#child.on('exit', (code) => this.#fail(`the other process ended with ${code}`));
    // Of interest to close() alone.
    this.#closed.catch(() => {});
    this.#send({ kind: 'open', cluster: cluster.info, writers });
  }

  turn(turn: Turn): Promise<TurnResult> {
    const id = ++this.#turns;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ kind: 'turn', id, turn });
    });
  }

  /** Ends it when its turns are done, and gives what it has counted. */
  close(): Promise<Totals> {
    this.#send({ kind: 'close' });
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #send(request: Request): void {
    this.#child.send(request);
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'turn') {
      this.#waiting.get(reply.id)?.resolve(reply.result);
      this.#waiting.delete(reply.id);
    } else if (reply.kind === 'closed') {
      this.#close(reply.totals);
    } else {
      this.#fail(reply.message);
    }
  }

  #fail(message: string): void {
    const error = new Error(message);
    this.#break(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
