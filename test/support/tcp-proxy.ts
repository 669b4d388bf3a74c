import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** `up` is from the client to the server, `down` is what the server answers. */
export type Direction = 'up' | 'down';

const directions: readonly Direction[] = ['up', 'down'];

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** Where a text is lost: on its way to the server, or its answer on the way back. */
export type Loss = 'text' | 'answer';

/** What applies to all connections. */
interface Weather {
  delayMs: number;
  /** Connections that send this text are reset; `null`: none. */
  trap: { readonly text: string; readonly loss: Loss } | null;
  /** Pending while the network is paused in that direction. */
  readonly flowing: Record<Direction, Promise<void>>;
}

/** A TCP proxy on loopback: the network between a client and one server, with its faults. */
export class TcpProxy implements Disposable {
  readonly host = '127.0.0.1';
  readonly #target: ProxyTarget;
  readonly #links = new Set<Link>();
  readonly #listener: Server;
  readonly #weather: Weather = {
    delayMs: 0,
    trap: null,
    flowing: { up: Promise.resolve(), down: Promise.resolve() },
  };
  #port = 0;
  #resume: () => void = () => {};

  private constructor(target: ProxyTarget) {
    this.#target = target;
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#join(client);
    });
  }

  static async start(target: ProxyTarget): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await proxy.accept();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** Resets all connections (ECONNRESET on both sides); new ones are accepted. */
  cut(): void {
    for (const link of this.#links) link.reset();
  }

  /**
   * Nothing passes any more, in either direction or in one, not even the end of a connection. New
   * connections are accepted and get no answer. Nothing is lost: see {@link resume}.
   */
  pause(direction?: Direction): void {
    this.resume();
    const flowing = new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    for (const one of direction === undefined ? directions : [direction]) {
      this.#weather.flowing[one] = flowing;
    }
  }

  /** Ends {@link pause}: what was held back arrives now. */
  resume(): void {
    this.#resume();
    for (const direction of directions) {
      this.#weather.flowing[direction] = Promise.resolve();
    }
  }

  /** Each byte takes this long, in each direction: a round trip takes twice as long. 0 ends it. */
  delay(ms: number): void {
    this.#weather.delayMs = ms;
  }

  /** From now on loses what the connections open now send in one direction. New ones are whole. */
  drop(direction: Direction): void {
    for (const link of this.#links) link.drop(direction);
  }

  /** Tells the clients that the server has closed its half (FIN); what they send still arrives. */
  halfClose(): void {
    for (const link of this.#links) link.client.end();
  }

  /**
   * From now on resets each connection whose client sends this text: before the server gets it, or when
   * the server has answered it, in place of the answer. `null` ends it. It has to come in one piece.
   */
  trap(text: string | null, loss: Loss = 'text'): void {
    this.#weather.trap = text === null ? null : { text, loss };
  }

  /** New connections are refused (ECONNREFUSED), those open now stay. */
  refuse(): void {
    // Listening ends at once; only the 'close' event waits for the last connection.
    this.#listener.close();
  }

  /** Listens (again, on the same port). */
  async accept(): Promise<void> {
    if (this.#listener.listening) return;
    this.#listener.listen(this.#port, this.host);
    await once(this.#listener, 'listening');
    const address = this.#listener.address();
    if (address !== null && typeof address !== 'string') this.#port = address.port;
  }

  /** Ends everything. */
  close(): void {
    this.refuse();
    this.cut();
    this.resume();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #join(client: Socket): void {
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const link = new Link(client, upstream, this.#weather);
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
  }
}

/** One client's connection and the one to the server that it is passed on to. */
class Link {
  readonly client: Socket;
  readonly #upstream: Socket;
  readonly #weather: Weather;
  readonly #dropped = new Set<Direction>();
  /** Whether the next answer is not passed on. */
  #isTrapped = false;

  constructor(client: Socket, upstream: Socket, weather: Weather) {
    this.client = client;
    this.#upstream = upstream;
    this.#weather = weather;
    this.#pass(client, upstream, 'up');
    this.#pass(upstream, client, 'down');
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.#upstream.resetAndDestroy();
  }

  drop(direction: Direction): void {
    this.#dropped.add(direction);
  }

  #pass(from: Socket, to: Socket, direction: Direction): void {
    let last = Promise.resolve();
    // All events wait in one line, so that nothing overtakes, whatever the weather does.
    const inOrder = (event: () => void) => {
      const due = Date.now() + this.#weather.delayMs;
      last = last.then(async () => {
        if (due > Date.now()) await sleep(due - Date.now());
        await this.#weather.flowing[direction];
        event();
      });
    };
    from.on('data', (bytes) =>
      inOrder(() => {
        if (this.#isCaught(bytes, direction)) this.reset();
        else if (to.writable && !this.#dropped.has(direction)) to.write(bytes);
      }),
    );
    from.on('end', () => inOrder(() => to.end()));
    from.on('error', () => inOrder(() => to.resetAndDestroy()));
  }

  /** Whether these bytes are what {@link TcpProxy.trap} waits for. */
  #isCaught(bytes: Buffer, direction: Direction): boolean {
    const { trap } = this.#weather;
    if (direction === 'down') return this.#isTrapped;
    if (trap === null || !bytes.includes(trap.text)) return false;
    this.#isTrapped = trap.loss === 'answer';
    return trap.loss === 'text';
  }
}
