import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../proofs/random.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import type { History } from './history.ts';
import type { Executor, Lane, Lanes } from './lanes.ts';
import { ownRegisters, type Part, sharedRegisters, type Table, tableOf } from './registers.ts';
import { inScope } from './scope.ts';
import type { Tally } from './tally.ts';
import { someWrite } from './writes.ts';

/** Where a client works. */
export interface Place {
  readonly flavor: Flavor;
  readonly part: Part;
  readonly lanes: Lanes;
  readonly tally: Tally;
  /** How many clients of the part write: those with the lowest numbers. */
  readonly writers: number;
}

/** How a client behaves for a while: what one write, or one pool, hides of a mistake, another shows. */
export interface Mood {
  readonly lanes: readonly Lane[];
  /** `'first'`: once, and from then on it reads. */
  readonly writes: 'often' | 'first' | 'never';
}

/** Any mood. */
export function someMood(random: Random, { all }: Lanes): Mood {
  return {
    // Whoever reads through several pools is known to none of them, and every read asks the primary.
    lanes: random.chance(0.6) ? [random.pick(all)] : all,
    writes: random.pick(['often', 'often', 'first', 'first', 'never']),
  };
}

/** What a client takes along to another process. */
export interface Belongings {
  readonly number: number;
  /** The last version that it has tried to write. */
  readonly version: number;
  /** Its registers that have a row. */
  readonly existing: readonly number[];
}

/** One logical client: it alone writes its own registers, and reads everybody's. */
export class Client {
  readonly #place: Place;
  readonly #random: Random;
  readonly #number: number;
  readonly #table: Table;
  readonly #own: readonly number[];
  readonly #existing: Set<number>;
  #mood: Mood;
  #version: number;

  constructor(place: Place, random: Random, { number, version, existing }: Belongings) {
    this.#place = place;
    this.#random = random;
    this.#number = number;
    this.#table = tableOf(place.part);
    this.#own = ownRegisters(number);
    this.#version = version;
    this.#existing = new Set(existing);
    this.#mood = { lanes: place.lanes.all, writes: 'often' };
  }

  /** From now on behaves like this. */
  feel(mood: Mood): void {
    this.#mood = mood;
  }

  get belongings(): Belongings {
    return { number: this.#number, version: this.#version, existing: [...this.#existing] };
  }

  /** Does one thing, or several at once. What fails is counted. */
  async act(history: History): Promise<void> {
    const { writes } = this.#mood;
    if (writes === 'never' || (writes === 'often' && this.#random.chance(0.6))) {
      await this.#look(history);
    } else {
      await this.#change(history);
    }
    if (writes === 'first') this.#mood = { ...this.#mood, writes: 'never' };
    await this.#pause();
  }

  async #look(history: History): Promise<void> {
    const chosen = this.#random.below(100);
    if (chosen < 70) await this.#try(() => this.#readOn(this.#lane(), history));
    else if (chosen < 85) await this.#readMany(history);
    else if (chosen < 90) await this.#try(() => this.#onConnection(history, false));
    else if (chosen < 95) await this.#try(() => this.#inTransaction(history, false));
    else await this.#try(() => this.#glance());
  }

  async #change(history: History): Promise<void> {
    const chosen = this.#random.below(100);
    if (chosen < 45) await this.write(history);
    else if (chosen < 60) await this.#writeAndRead(history);
    else if (chosen < 70) await this.#try(() => this.#onConnection(history, true));
    else if (chosen < 85) await this.#try(() => this.#inTransaction(history, true));
    else if (chosen < 95) await this.#try(() => this.#countUp(history));
    else await this.#try(() => this.#rollBack());
  }

  /** Sets one of its registers. */
  write(history: History, register = this.#random.pick(this.#own)): Promise<void> {
    return this.#try(() => this.#writeOn(this.#lane(), history, register));
  }

  #lane(): Lane {
    return this.#random.pick(this.#mood.lanes);
  }

  async #try(operation: () => Promise<void>): Promise<void> {
    // A scope in a scope is the same one.
    const isNested = this.#place.part === 'session' && this.#random.chance(0.05);
    try {
      await (isNested ? inScope({}, operation) : operation());
    } catch (error) {
      this.#place.tally.fail(error);
    }
  }

  async #writeOn(lane: Lane, history: History, register: number): Promise<void> {
    const start = history.begin();
    const version = ++this.#version;
    const way = await this.#set(lane, register, version);
    this.#wrote(start, `${lane.name}, ${way}`, register, version, history);
  }

  /** Sends one write, and says which. */
  async #set(executor: Executor, register: number, version: number): Promise<string> {
    this.#count();
    const { flavor } = this.#place;
    const { name, sql, values } = someWrite({
      flavor,
      random: this.#random,
      table: this.#table,
      register,
      version,
      isThere: this.#existing.has(register),
      // Nobody knows what else a routine does to its session: its connection stays with the scope.
      mayCall: this.#number % 3 === 0,
    });
    await executor.send(sql, values);
    return name;
  }

  #wrote(start: number, how: string, register: number, version: number, history: History): void {
    history.wrote(start, how, { register, version });
    this.#existing.add(register);
    this.#place.tally.acknowledge(this.#place.part, register, version);
  }

  async #readOn(lane: Lane, history: History): Promise<void> {
    const start = history.begin();
    const isForced = this.#random.chance(0.08);
    const values = await this.#get(lane, isForced);
    history.read(start, `${lane.name}${isForced ? ', forcePrimary' : ''}`, values);
  }

  #get(executor: Executor, isForced = false): ReturnType<Executor['read']> {
    this.#count();
    return executor.read(this.#table, this.#someRegisters(), isForced);
  }

  async #readMany(history: History): Promise<void> {
    const reads = Array.from({ length: 2 + this.#random.below(4) }, () =>
      this.#try(() => this.#readOn(this.#lane(), history)),
    );
    await Promise.all(reads);
  }

  /** Its writes are of different registers: of one, the order would be unknown. */
  async #writeAndRead(history: History): Promise<void> {
    const written = this.#own.slice(0, 1 + this.#random.below(this.#own.length));
    await Promise.all([
      ...written.map((register) => this.write(history, register)),
      this.#readMany(history),
    ]);
  }

  async #onConnection(history: History, mayWrite: boolean): Promise<void> {
    const lane = this.#lane();
    await lane.connection(async (connection) => {
      const how = `${lane.name}, connection`;
      for (let left = 1 + this.#random.below(3); left > 0; left--) {
        const start = history.begin();
        if (mayWrite && this.#random.chance(0.5)) {
          const register = this.#random.pick(this.#own);
          const version = ++this.#version;
          const way = await this.#set(connection, register, version);
          this.#wrote(start, `${how}, ${way}`, register, version, history);
        } else {
          history.read(start, how, await this.#get(connection));
        }
      }
    });
  }

  /** Its reads may show what was there when it began: that is when they start. */
  async #inTransaction(history: History, mayWrite: boolean): Promise<void> {
    const lane = this.#lane();
    const start = history.begin();
    const register = this.#random.pick(this.#own);
    let version = 0;
    await lane.transaction(async (transaction) => {
      history.read(start, `${lane.name}, transaction`, await this.#get(transaction));
      if (!mayWrite) return;
      version = ++this.#version;
      await this.#set(transaction, register, version);
    });
    if (version > 0) this.#wrote(start, `${lane.name}, transaction`, register, version, history);
  }

  /** A shared register: only the transaction knows which version it has written. */
  async #countUp(history: History): Promise<void> {
    const lane = this.#lane();
    const register = this.#random.pick(sharedRegisters);
    const start = history.begin();
    let version = 0;
    await lane.transaction(async (transaction) => {
      this.#count();
      const sql = `UPDATE ${this.#table} SET version = version + 1 WHERE id = ?`;
      await transaction.send(sql, [register]);
      const [value] = await transaction.read(this.#table, [register]);
      version = value?.version ?? 0;
    });
    this.#wrote(start, `${lane.name}, counted up`, register, version, history);
  }

  /** Sees what nobody has promised: what is promised afterwards stays as it was. */
  async #glance(): Promise<void> {
    await inScope({ level: 'eventual' }, async () => {
      await this.#get(this.#lane());
    });
  }

  async #rollBack(): Promise<void> {
    const register = this.#random.pick(this.#own);
    await this.#lane()
      .transaction(async (transaction) => {
        await this.#set(transaction, register, ++this.#version);
        throw new GivenUp();
      })
      .catch((error: unknown) => {
        if (!(error instanceof GivenUp)) throw error;
      });
  }

  /** Mostly its own, sometimes those of others; each once. */
  #someRegisters(): number[] {
    const chosen = Array.from({ length: 1 + this.#random.below(4) }, () => {
      if (this.#random.chance(0.5)) return this.#random.pick(this.#own);
      if (this.#random.chance(0.4)) return this.#random.pick(sharedRegisters);
      return this.#random.pick(ownRegisters(this.#random.below(this.#place.writers)));
    });
    return [...new Set(chosen)];
  }

  /** Long enough, now and then, for replicas to catch up. */
  async #pause(): Promise<void> {
    if (this.#random.chance(0.03)) await sleep(this.#random.below(100));
    else if (this.#random.chance(0.3)) await sleep(this.#random.below(5));
  }

  #count(): void {
    this.#place.tally.totals.parts[this.#place.part].operations++;
  }
}

class GivenUp extends Error {}
