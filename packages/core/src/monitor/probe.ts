import { codeOf, isBusy, isOfServer } from '../pool/failure.ts';
import type { Host } from '../pool/host.ts';
import type { DriverError } from '../pool/mysql2.ts';
import { SideConnection } from '../pool/side-connection.ts';
import type { Row } from '../topology/topology.ts';
import { type Ask, LagProbe } from './lag-probe.ts';

/** What a host has said in one round. */
export interface Said {
  /** The answer to the question for its role; `null` if none was asked, or the server refused it. */
  readonly rows: readonly Row[] | null;
  /** Code of the refusal of that question; `null` if there was none. */
  readonly refusal: string | null;
  /** How far it is behind, in milliseconds; `null` if that is not known. */
  readonly lag: number | null;
  /** Whether it was said before, and there was no room to ask again. */
  readonly isOld?: boolean;
}

/** What is asked of a host. */
export interface Questions {
  /** The one for its role; `null`: none. */
  readonly role: string | null;
  /** Whether its lag is asked for. */
  readonly lag: boolean;
}

/** So many times as long as an answer may take, the last one stands for one that there was no room for. */
const lastsFor = 5;

/** Asks one host, round after round, on a connection of its own. */
export class Probe {
  readonly host: Host;
  readonly #timeout: number;
  readonly #lag: LagProbe;
  #connection: SideConnection | null = null;
  #life: object | null = null;
  #asking: Promise<Said | null> | null = null;
  /** Whether it did not answer in time when it was asked last. */
  isSilent = false;
  #isClosed = false;
  /** What it has said last of its role, when, and in which life. */
  #last: { readonly said: Said; readonly at: number; readonly life: object } | null = null;

  /** @param timeout how long all answers of one round may take, in milliseconds. */
  constructor(host: Host, timeout: number, heartbeatTable: string | null) {
    this.host = host;
    this.#timeout = timeout;
    this.#lag = new LagProbe(heartbeatTable);
  }

  /** Asks; `null`: it gave no answer. Not again while it has not answered. */
  ask(questions: Questions): Promise<Said | null> {
    this.#asking ??= this.#ask(questions).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  async #ask(questions: Questions): Promise<Said | null> {
    try {
      const connection = this.#connected();
      connection.limit(this.#timeout);
      const said = await this.#questioned((sql) => connection.rows(sql), questions);
      connection.limit(null);
      this.isSilent = false;
      this.#last = {
        said: { ...said, lag: null, isOld: true },
        at: performance.now(),
        life: this.host.life,
      };
      return said;
    } catch (error) {
      this.#drop();
      const hasRoom = !isBusy(error as DriverError);
      this.isSilent = hasRoom;
      // A server that has no room for the question is what it was.
      return hasRoom ? null : this.#remembered();
    }
  }

  #remembered(): Said | null {
    const { said = null, at = 0, life } = this.#last ?? {};
    const isRecent = performance.now() - at < lastsFor * this.#timeout;
    return isRecent && life === this.host.life ? said : null;
  }

  async #questioned(ask: Ask, { role, lag }: Questions): Promise<Said> {
    const answer = role === null ? null : await ask(role).catch(refusalIn);
    const isRefused = typeof answer === 'string';
    return {
      rows: isRefused ? null : answer,
      refusal: isRefused ? answer : null,
      lag: lag ? await this.#lag.measure(ask).catch(() => null) : null,
    };
  }

  #connected(): SideConnection {
    if (this.#isClosed) {
      throw new Error('closed');
    }
    if (this.#life !== this.host.life) {
      // Where its name leads now may be another server.
      this.#drop();
    }
    if (this.#connection === null) {
      this.#life = this.host.life;
      this.#lag.reset();
      const connection: SideConnection = new SideConnection(this.host, () => {
        if (this.#connection === connection) {
          this.#connection = null;
        }
      });
      this.#connection = connection;
    }
    return this.#connection;
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
  }
}

/** The server has answered, if not what was asked for. */
function refusalIn(error: DriverError): string {
  if (!isOfServer(error) || error.fatal === true || isBusy(error)) {
    throw error;
  }
  return codeOf(error);
}
