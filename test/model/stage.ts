import { randomBytes } from 'node:crypto';
import { type Connection, createConnection } from 'mysql2/promise';
import type { Cluster, ConnectionOptions } from '../support/servers/cluster.ts';
import type { Server } from '../support/servers/server.ts';
import { slots } from './plan.ts';

/** Sets of tables for each slot: its sessions take them in turn. */
const setsOfSlot = 3;
const sets = slots * setsOfSlot;

/** The numbers of all sets of tables. */
export const allSets: ReadonlySet<number> = new Set(Array.from({ length: sets }, (_, set) => set));

/** What the application sets each connection up with, on both sides. */
export const setUp = "SET SESSION group_concat_max_len = 2222, @app = 'set up'";

/** The counter of another process; those of sets have the numbers of the sets. */
export const counterOfOthers = 1;

/** Two databases with the same tables: one for what is tested, one for what it is compared with. */
export class Stage implements AsyncDisposable {
  readonly cluster: Cluster;
  /** The replicas that may stop applying for a while. */
  readonly pausable: readonly Server[];
  readonly #base: string;
  readonly #admin: Connection;
  #resets = 0;

  private constructor(cluster: Cluster, pausing: Cluster | null, connection: Connection) {
    this.cluster = cluster;
    this.pausable = pausing?.replicas ?? [];
    this.#base = `${cluster.database}_${randomBytes(6).toString('hex')}`;
    this.#admin = connection;
  }

  /**
   * @param pausing the same servers with connections of their own, if their replicas may be paused:
   *   they are nobody else's then, and a wait for replication must not keep one from going on.
   */
  static async open(cluster: Cluster, pausing: Cluster | null = null): Promise<Stage> {
    const options = { ...cluster.connectionOptions(cluster.primary), multipleStatements: true };
    const connection = await createConnection(options);
    // What a broken session leaves locked is an error, and no wait for ever.
    await connection.query('SET SESSION lock_wait_timeout = 10, innodb_lock_wait_timeout = 10');
    const stage = new Stage(cluster, pausing, connection);
    await connection.query(stage.sides.flatMap((side) => schemaOf(side)).join(';\n'));
    await cluster.waitUntilReplicated();
    return stage;
  }

  /** A name that no other stage has. */
  get name(): string {
    return this.#base;
  }

  get subject(): Side {
    return new Side(`${this.#base}_s`);
  }

  get reference(): Side {
    return new Side(`${this.#base}_r`);
  }

  get sides(): readonly Side[] {
    return [this.subject, this.reference];
  }

  /** Options for mysql2 to connect to a server as the application, in the first database of a side. */
  connectionOptions(side: Side, server = this.cluster.primary): ConnectionOptions {
    return this.cluster.connectionOptions(server, side.database);
  }

  /** The tables as they were at first, with the same next ids on both sides, never used before. */
  async reset(used: ReadonlySet<number> = allSets): Promise<void> {
    this.#resets++;
    const each = this.sides.flatMap(({ database, other }) =>
      [...used].flatMap((set) => [
        ...[database, other].flatMap((name) => resetOf(name, set, this.#resets)),
        `UPDATE ${database}.counter SET n = 0 WHERE id = ${counterOf(set)}`,
      ]),
    );
    await this.#admin.query(['START TRANSACTION', ...each, 'COMMIT'].join(';\n'));
    await this.cluster.waitUntilReplicated();
  }

  /** Ends whatever still runs in the databases, so that it changes nothing later. */
  async endAll(): Promise<void> {
    const { primary } = this.cluster;
    const threads = await primary.query<{ id: number }>(
      'SELECT id FROM information_schema.processlist WHERE db LIKE ?',
      [`${this.#base}%`],
    );
    for (const { id } of threads) await primary.query(`KILL ${id}`).catch(() => {});
  }

  /** What the tables of a set hold on a side. */
  async contents(side: Side, set: number): Promise<unknown> {
    const of = (name: string) => [
      `SELECT * FROM ${name}.s${set}_item ORDER BY id`,
      `SELECT * FROM ${name}.s${set}_note ORDER BY id`,
    ];
    const counter = `SELECT n FROM ${side.database}.counter WHERE id = ${counterOf(set)}`;
    const all = [...of(side.database), ...of(side.other), counter];
    const [rows] = await this.#admin.query(all.join(';'));
    return rows;
  }

  /** What all have committed, as another process sees it on the primary. */
  async counters(): Promise<Counters> {
    const rows = await this.cluster.primary.query<{ id: number; n: number }>(
      `SELECT id, n FROM ${this.subject.database}.counter`,
    );
    return new Map(rows.map(({ id, n }) => [id, n]));
  }

  /** Adds to the counter of another process. */
  async count(): Promise<void> {
    await this.cluster.primary.query(
      `UPDATE ${this.subject.database}.counter SET n = n + 1 WHERE id = ${counterOfOthers}`,
    );
  }

  /** Drops what DDL of sessions may have made. */
  async dropExtras(used: ReadonlySet<number> = allSets): Promise<void> {
    const drops = this.sides.flatMap(({ database, other }) =>
      [...used].flatMap((set) =>
        [database, other].map((name) => `DROP TABLE IF EXISTS ${name}.s${set}_extra`),
      ),
    );
    await this.#admin.query([...drops, 'DO 0'].join(';\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const drops = this.sides.flatMap(({ database, other }) => [
      `DROP DATABASE ${database}`,
      `DROP DATABASE ${other}`,
    ]);
    await this.#admin.query(drops.join(';'));
    this.#admin.destroy();
    for (const replica of this.pausable) replica.disconnect();
  }
}

/** The databases of one side. */
export class Side {
  /** What the names of its databases begin with. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get database(): string {
    return `${this.name}0`;
  }

  get other(): string {
    return `${this.name}1`;
  }

  /** A text of the language, as a session of this side says it. */
  render(template: string, place: Place, n: number): string {
    return template
      .replaceAll('{p}', `s${place.set}_`)
      .replaceAll('{set}', String(counterOf(place.set)))
      .replaceAll('{id}', `${this.name}${place.id}`)
      .replaceAll('{db}', this.database)
      .replaceAll('{other}', this.other)
      .replaceAll('{n}', String(n));
  }
}

/** What is a session's own. */
export interface Place {
  /** Number of its tables. */
  readonly set: number;
  /** A name that no other session has. */
  readonly id: string;
}

/** The tables of the `nth` session of a slot. */
export function setOf(slot: number, nth: number): number {
  return slot * setsOfSlot + (nth % setsOfSlot);
}

/** What each counter had, by its number. */
export type Counters = ReadonlyMap<number, number>;

/** The counter that the sessions with a set of tables add to. */
export function counterOf(set: number): number {
  return set + 10;
}

/** Ids that a set of tables may use until the end of the stage. */
const idsOfSet = 100_000_000;
/** Ids that one table may use until the next reset. */
const idsOfTurn = 1000;

function firstIdOf(set: number, table: number, turn: number): number {
  return (set + 1) * idsOfSet + (table * idsOfSet) / 2 + turn * idsOfTurn;
}

function schemaOf({ database, other }: Side): string[] {
  return [
    `CREATE DATABASE ${database}`,
    `CREATE DATABASE ${other}`,
    ...[database, other].flatMap((name, index) => [
      `CREATE TABLE ${name}.menu (id INT PRIMARY KEY, name VARCHAR(9), price INT)`,
      `INSERT INTO ${name}.menu VALUES (1, 'tea', 2), (2, 'milk${index}', 1), (3, 'salt', 3), (4, 'rye', 4), (5, 'oil', ${index}), (6, 'egg', 2), (7, 'plum', 9)`,
      ...[...allSets].flatMap((set) => tablesOf(name, set)),
    ]),
    `CREATE TABLE ${database}.counter (id INT PRIMARY KEY, n INT NOT NULL)`,
    `INSERT INTO ${database}.counter VALUES ${[counterOfOthers, ...[...allSets].map(counterOf)].map((id) => `(${id}, 0)`).join(', ')}`,
    `CREATE PROCEDURE ${database}.set_x(n INT) SET @x = n`,
    `CREATE PROCEDURE ${database}.take_lock(name VARCHAR(64)) DO GET_LOCK(name, 0)`,
    `CREATE FUNCTION ${database}.twice(n INT) RETURNS INT NO SQL RETURN n * 2`,
    ...[...allSets].flatMap((set) => routinesOf(database, set)),
  ];
}

function tablesOf(name: string, set: number): string[] {
  return [
    `CREATE TABLE ${name}.s${set}_item (id INT PRIMARY KEY AUTO_INCREMENT, tag INT UNIQUE, name VARCHAR(6), amount INT NOT NULL DEFAULT 0) AUTO_INCREMENT = ${firstIdOf(set, 0, 0)}`,
    `CREATE TABLE ${name}.s${set}_note (id INT PRIMARY KEY AUTO_INCREMENT, item INT) AUTO_INCREMENT = ${firstIdOf(set, 1, 0)}`,
    seedOf(name, set),
  ];
}

function routinesOf(name: string, set: number): string[] {
  const own = `${name}.s${set}_`;
  return [
    `CREATE PROCEDURE ${own}add(n INT) INSERT INTO ${own}item (amount) VALUES (n)`,
    `CREATE PROCEDURE ${own}list() BEGIN SELECT id, tag FROM ${own}item ORDER BY id; SELECT ROW_COUNT() AS r; END`,
    `CREATE PROCEDURE ${own}begin() START TRANSACTION`,
    `CREATE FUNCTION ${own}next(n INT) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO ${own}note (item) VALUES (n); RETURN n + 1; END`,
  ];
}

function seedOf(name: string, set: number): string {
  return `INSERT INTO ${name}.s${set}_item VALUES (${set + 10}01, 1, 'one', 1), (${set + 10}02, 2, 'two', 5), (${set + 10}03, 90, 'three', 3)`;
}

function resetOf(name: string, set: number, turn: number): string[] {
  const tables = [`${name}.s${set}_item`, `${name}.s${set}_note`];
  return [
    ...tables.flatMap((table, index) => [
      // The next id follows the largest there ever was, after TRUNCATE too.
      `INSERT INTO ${table} (id) VALUES (${firstIdOf(set, index, turn)})`,
      `DELETE FROM ${table}`,
    ]),
    seedOf(name, set),
  ];
}
