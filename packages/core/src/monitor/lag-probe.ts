import type { Row } from '../topology/topology.ts';
import { Heartbeat } from './lag-heartbeat.ts';
import { isRefusal, type LagSource, lagSources } from './lag-sources.ts';

/** Runs one query; rejects with mysql2's error. */
export type Ask = (sql: string) => Promise<readonly Row[]>;

/** How often a source is asked that was read between two states. */
const mostTries = 3;

/** Measures how far one host is behind, by the best source that its server has and the account may read. */
export class LagProbe {
  readonly #heartbeat: Heartbeat | null;
  /** The sources that are left; what was refused once is not asked again. */
  #sources: readonly LagSource[] = lagSources;
  /**
   * Whether nothing is known of the time before. Measured: a replica that has just found its primary again
   * calls itself up to date until it has received what it lacks: 40 ms on MySQL, up to 0.4 s on MariaDB.
   */
  #isNew = false;
  #hasMeasured = false;

  /** @param heartbeatTable `db.table` as `pt-heartbeat` writes it: asked alone; or `null`. */
  constructor(heartbeatTable: string | null) {
    this.#heartbeat = heartbeatTable === null ? null : new Heartbeat(heartbeatTable);
  }

  /**
   * Milliseconds behind; `null`: not known, which is not zero. Rejects with the error of a query other
   * than a refusal.
   */
  async measure(ask: Ask): Promise<number | null> {
    if (this.#heartbeat !== null) {
      return this.#heartbeat.measure(ask);
    }
    const lag = await this.#fromSources(ask);
    const isDoubtful = lag === 0 && this.#isNew;
    this.#isNew = lag === null;
    this.#hasMeasured = true;
    return isDoubtful ? null : lag;
  }

  /** The connection is a new one: what was refused may be granted now, the server may be another. */
  reset(): void {
    this.#sources = lagSources;
    // The server may have been restarted; but a process that starts waits for nothing.
    this.#isNew = this.#hasMeasured;
    this.#heartbeat?.reset();
  }

  async #fromSources(ask: Ask): Promise<number | null> {
    for (const source of this.#sources) {
      const lag = await this.#from(source, ask);
      if (lag !== 'elsewhere') {
        return lag;
      }
      this.#sources = this.#sources.filter((one) => one !== source);
    }
    return null;
  }

  async #from(source: LagSource, ask: Ask): Promise<number | null | 'elsewhere'> {
    try {
      for (let left = mostTries; left > 0; left--) {
        const lag = source.read(await ask(source.sql));
        if (lag !== 'again') {
          return lag;
        }
      }
      return null;
    } catch (error) {
      if (isRefusal(error)) {
        return 'elsewhere';
      }
      throw error;
    }
  }
}
