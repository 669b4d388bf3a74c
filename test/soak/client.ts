import { setTimeout as sleep } from 'node:timers/promises';
import { type ReplicatedConnection, type ReplicatedPool, withSession } from '@rwsplit/core';
import type { Random } from '../proofs/random.ts';
import type { Ledger } from './ledger.ts';
import { codeOf, type Tally } from './tally.ts';

/** What clients work with. */
export interface Workplace {
  readonly pools: readonly ReplicatedPool[];
  readonly ledger: Ledger;
  readonly tally: Tally;
}

const insert = 'INSERT INTO entry (id) VALUES (?)';
const count = 'SELECT COUNT(*) AS n FROM entry WHERE id = ?';
const latest = 'SELECT id FROM entry ORDER BY place DESC LIMIT 200';

/** The share of the primary may be taken by other reads for all of `acquireTimeout`. */
const excused: ReadonlySet<string> = new Set(['RWSPLIT_ACQUIRE_TIMEOUT', 'RWSPLIT_NO_REPLICA']);

/** How long a client thinks between two things it does, at most, in milliseconds. */
const thought = 30;

/** One user of the pools, who does one thing after the other. */
export class Client {
  /** What it does now, for who waits for it. */
  doing = 'nothing';
  readonly #place: Workplace;
  readonly #random: Random;

  constructor(place: Workplace, random: Random) {
    this.#place = place;
    this.#random = random;
  }

  async work(isOver: () => boolean): Promise<void> {
    const actions: readonly (readonly [string, () => Promise<void>])[] = [
      ['read', () => this.#read()],
      ['read', () => this.#read()],
      ['useReplica', () => this.#readEventually()],
      ['session', () => this.#writeAndRead()],
      ['session', () => this.#writeAndRead()],
      ['token', () => this.#handOver()],
      ['transaction', () => this.#transact()],
      ['stream', () => this.#stream()],
      ['state', () => this.#keepState()],
      ['cancel', () => this.#cancel()],
    ];
    while (!isOver()) {
      const [name, act] = this.#random.pick(actions);
      this.doing = name;
      await act();
      this.doing = 'nothing';
      await sleep(this.#random.below(thought));
    }
  }

  get #pool(): ReplicatedPool {
    return this.#random.pick(this.#place.pools);
  }

  /** What was acknowledged to anybody in this process is there. */
  async #read(): Promise<void> {
    const id = this.#place.ledger.recent(this.#random.below(50));
    if (id !== null) await this.#mustSee(this.#pool, 'read', id);
  }

  async #mustSee(pool: ReplicatedPool, kind: string, id: number, isAfter = false): Promise<void> {
    const { tally } = this.#place;
    const method = this.#random.pick(['query', 'execute'] as const);
    const maxLag = this.#random.pick([undefined, undefined, 500]);
    const options = { sql: count, values: [id], ...(maxLag === undefined ? {} : { maxLag }) };
    const n = await tally.read(kind, () => countIn(pool, method, options), excused);
    if (n !== null && n !== 1) {
      const when = isAfter ? 'in the session that wrote it' : 'outside of sessions';
      tally.wrong(`${kind}: write ${id} was seen ${n} times ${when}`);
    }
  }

  async #readEventually(): Promise<void> {
    const { tally, ledger } = this.#place;
    const values = [ledger.recent(0)];
    const pool = this.#pool;
    const options = { sql: count, values, useReplica: true };
    await tally.read('useReplica', () => countIn(pool, 'query', options), excused);
  }

  async #writeAndRead(): Promise<void> {
    const pool = this.#pool;
    const maxLag = this.#random.pick([undefined, 200]);
    await withSession({ maxLag }, async () => {
      const id = await this.#write(pool);
      if (id !== null) await this.#mustSee(pool, 'session', id, true);
    });
  }

  /** @returns `null` if it was not acknowledged. */
  async #write(pool: ReplicatedPool): Promise<number | null> {
    const { ledger } = this.#place;
    const id = ledger.next();
    const isDone = await this.#note('write', [id], () => pool.promise().query(insert, [id]));
    return isDone ? id : null;
  }

  /** Another pool sees what a token tells of. */
  async #handOver(): Promise<void> {
    const [one, other] = [this.#pool, this.#pool];
    let id: number | null = null;
    const after = await withSession(async (session) => {
      id = await this.#write(one);
      return session.token();
    });
    const written: number | null = id;
    if (written !== null) {
      await withSession({ after }, () => this.#mustSee(other, 'token', written, true));
    }
  }

  async #transact(): Promise<void> {
    const { ledger } = this.#place;
    const ids = [ledger.next(), ledger.next()];
    const [first] = ids;
    const isKept = this.#random.chance(0.8);
    await this.#borrow(async (connection) => {
      const run = async () => {
        await connection.beginTransaction();
        for (const id of ids) await connection.query(insert, [id]);
        const [rows] = await connection.query(count, [first]);
        if (numberIn(rows) !== 1) this.#place.tally.wrong('a transaction did not see its write');
        await (isKept ? connection.commit() : connection.rollback());
      };
      const isDone = await this.#note('transaction', ids, run);
      if (isDone && !isKept) ledger.note(ids, 'refused');
      // What is open on it when it is released is rolled back by the pool.
      if (!isDone && this.#random.chance(0.5)) await connection.rollback().catch(() => {});
    });
  }

  /** Runs what writes these, and notes what is known of them afterwards. */
  async #note(
    kind: string,
    ids: readonly number[],
    work: () => Promise<unknown>,
  ): Promise<boolean> {
    const { ledger, tally } = this.#place;
    try {
      await work();
      ledger.note(ids, 'acknowledged');
      tally.done(kind);
      return true;
    } catch (error) {
      ledger.note(ids, codeOf(error) === 'RWSPLIT_UNKNOWN_OUTCOME' ? 'unknown' : 'refused');
      tally.failed(kind, error);
      return false;
    }
  }

  async #stream(): Promise<void> {
    const { tally } = this.#place;
    const [pool, enough] = [this.#pool, this.#random.pick([1, 50, 1000])];
    let rows = 0;
    const read = async () => {
      for await (const _row of pool.query({ sql: latest }).stream()) {
        rows += 1;
        if (rows >= enough) break;
      }
    };
    try {
      // From the first row on nobody can go on elsewhere.
      await tally.read('stream', () =>
        read().catch((error: unknown) => {
          if (rows === 0) throw error;
          tally.failed('stream, later', error);
        }),
      );
    } finally {
      rows = 0;
    }
  }

  /** A session that is bound to its connection. */
  async #keepState(): Promise<void> {
    const { tally } = this.#place;
    const [pool, value] = [this.#pool, this.#random.below(1000)];
    await withSession(async () => {
      try {
        await pool.promise().query('SET @soak = ?', [value]);
        const [rows] = await pool.promise().query('SELECT @soak AS n');
        const [{ n: found }] = rows as [{ n: unknown }];
        if (Number(found) !== value) {
          tally.wrong(`a session set a variable to ${value}, and read ${found} without a word`);
        }
        tally.done('state');
      } catch (error) {
        tally.failed('state', error);
      }
    });
  }

  async #cancel(): Promise<void> {
    const { tally } = this.#place;
    await this.#borrow(async (connection, core) => {
      try {
        const sleeping = connection.query('SELECT SLEEP(20) AS n');
        sleeping.catch(() => {});
        await sleep(5 + this.#random.below(50));
        // Who cannot be told to stop is told to go.
        await core.cancel().catch(() => core.destroy());
        await sleeping;
        tally.done('cancel');
      } catch (error) {
        if (codeOf(error) === 'ER_QUERY_INTERRUPTED' || codeOf(error) === 'RWSPLIT_CANCELLED') {
          tally.done('cancel');
        } else {
          tally.failed('cancel', error);
        }
      }
    });
  }

  async #borrow(
    work: (connection: Promised, core: ReplicatedConnection) => Promise<void>,
  ): Promise<void> {
    const pool = this.#pool;
    const core = await new Promise<ReplicatedConnection>((resolve, reject) =>
      pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
    );
    try {
      await work(core.promise(), core);
    } finally {
      core.release();
    }
  }
}

type Promised = ReturnType<ReplicatedConnection['promise']>;

async function countIn(
  pool: ReplicatedPool,
  method: 'query' | 'execute',
  options: { readonly sql: string; readonly values: readonly unknown[] },
): Promise<number> {
  const rows = await new Promise<unknown>((resolve, reject) => {
    pool[method](options, (error, result) => (error ? reject(error) : resolve(result)));
  });
  return numberIn(rows);
}

function numberIn(rows: unknown): number {
  const [row] = rows as readonly [{ readonly n: number | string }];
  return Number(row.n);
}
