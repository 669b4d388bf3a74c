import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Judge } from '../corpus/judge.ts';
import { type Account, digest, type Outcome, Session } from '../corpus/session.ts';
import { differences, type SessionState, Watch } from '../corpus/state.ts';
import { admin } from '../support/servers/accounts.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { dataFolder } from '../support/servers/settings.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';

const database = 'test';
const second = { user: 'rwsplit_second', password: 'second-password' };
const readOnlyTransaction = 1792;

/** Values of sql_mode that change how a text is read. */
export const sqlModes: Readonly<Record<Flavor, readonly string[]>> = {
  mysql: [
    '',
    'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    'ANSI_QUOTES',
    'NO_BACKSLASH_ESCAPES',
    'IGNORE_SPACE',
    'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE',
  ],
  mariadb: ['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'IGNORE_SPACE', 'ORACLE', 'MSSQL'],
};

/**
 * Built-in functions and words before a parenthesis that are stored functions here as well, and
 * their parameters: whoever reaches one of these has written.
 */
const hijackers: readonly (readonly [name: string, parameters: string])[] = [
  ['w', 'a INT'],
  ['now', ''],
  ...['count', 'max', 'substring', 'cast', 'trim', 'date_add', 'upper', 'if'].map(
    (name) => [name, 'a INT'] as const,
  ),
  ...['lateral', 'over', 'cube', 'of', 'columns', 'against', 'json_table', 'values', 'point'].map(
    (name) => [name, 'a INT'] as const,
  ),
  ['polygon', ''],
  ...['upper\u00a0', 'upper\u2028', 'upper\ufeff', '2upper', '0X1'].map(
    (name) => [name, 'a INT'] as const,
  ),
];

const schema: readonly string[] = [
  `CREATE DATABASE ${database}`,
  `CREATE TABLE ${database}.t (id INT PRIMARY KEY AUTO_INCREMENT, n INT, s VARCHAR(40), d DATE)`,
  `INSERT INTO ${database}.t (n, s, d) VALUES (1, 'a', '2020-01-01'), (2, 'b', NULL), (3, NULL, '2021-02-03')`,
  `CREATE TABLE ${database}.u (k INT PRIMARY KEY, m INT)`,
  `INSERT INTO ${database}.u VALUES (1, 10), (2, 20)`,
  `CREATE TABLE ${database}.log (n INT)`,
  ...hijackers.map(
    ([name, parameters]) =>
      `CREATE FUNCTION ${database}.\`${name}\`(${parameters}) RETURNS INT ` +
      `BEGIN INSERT INTO ${database}.log VALUES (1); RETURN 1; END`,
  ),
];

/** A text that had an effect on a server, or another answer in another session. */
export interface Finding {
  readonly sql: string;
  readonly flavor: Flavor;
  readonly sqlMode: string;
  readonly signals: readonly string[];
}

/** What became of the texts of one batch. */
export interface Trial {
  /** Texts that the server ran. */
  readonly executed: number;
  /** Texts that it refused, nearly all as syntax errors. */
  readonly refused: number;
  readonly findings: readonly Finding[];
}

/** A server with tables, and functions that write, on which texts are tried out. */
export class Stage implements AsyncDisposable {
  readonly flavor: Flavor;
  readonly #cluster: OwnedCluster;
  readonly #watcher: Session;
  #pair: Pair | undefined;
  #judge: Judge | undefined;
  #judgeMode = '';

  private constructor(flavor: Flavor, cluster: OwnedCluster, watcher: Session) {
    this.flavor = flavor;
    this.#cluster = cluster;
    this.#watcher = watcher;
  }

  static async open(flavor: Flavor): Promise<Stage> {
    const settings = settingsOf(flavor);
    const cluster = await startCluster({ flavor, replicas: 0, statementLog: false, settings });
    const { host, port } = cluster.primary;
    for (const sql of [
      ...schema,
      ...(flavor === 'mariadb' ? [`CREATE SEQUENCE ${database}.q`] : []),
      `CREATE USER ${second.user} IDENTIFIED BY '${second.password}'`,
      `GRANT ALL PRIVILEGES ON *.* TO ${second.user} WITH GRANT OPTION`,
    ]) {
      await cluster.primary.query(sql);
    }
    const kill = (sql: string) => cluster.primary.query(sql);
    return new Stage(flavor, cluster, await Session.open({ host, port, ...admin }, kill));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pair?.close();
    this.#judge?.close();
    this.#watcher.close();
    await this.#cluster.stop();
  }

  /** Runs texts that are said to be harmless. */
  async try(texts: readonly string[], sqlMode: string): Promise<Trial> {
    const { outcomes, suspects, signals } = await this.#runAll(texts, sqlMode);
    const findings: Finding[] = [];
    for (const sql of suspects) {
      const shown = await this.judge(sql, sqlMode);
      if (shown.length > 0) findings.push(this.#finding(sql, sqlMode, shown));
    }
    if (signals.length > 0) {
      this.#pair?.close();
      this.#pair = undefined;
      if (findings.length === 0) findings.push(...(await this.#halve(texts, sqlMode, signals)));
    }
    const executed = outcomes.filter(({ kind }) => kind === 'done').length;
    return { executed, refused: outcomes.length - executed, findings };
  }

  /** Looks for the one of these texts that shows something. */
  async #halve(
    texts: readonly string[],
    sqlMode: string,
    signals: readonly string[],
  ): Promise<readonly Finding[]> {
    if (texts.length === 1) return [this.#finding(texts.join(''), sqlMode, signals)];
    const half = texts.length >> 1;
    const first = await this.try(texts.slice(0, half), sqlMode);
    const { findings } =
      first.findings.length > 0 ? first : await this.try(texts.slice(half), sqlMode);
    if (findings.length > 0) return findings;
    return [this.#finding(texts.join('\n'), sqlMode, signals)];
  }

  #finding(sql: string, sqlMode: string, signals: readonly string[]): Finding {
    return { sql, flavor: this.flavor, sqlMode, signals };
  }

  /** What the text does that no read on a replica may do; nothing if it is harmless. */
  async judge(sql: string, sqlMode: string): Promise<readonly string[]> {
    const judge = await this.#judgeIn(sqlMode);
    const verdict = await judge.judge(sql);
    const signals = verdict.kind === 'hazard' ? [...verdict.signals] : [];
    if (this.#removeFile()) signals.push('file');
    if (signals.length === 0 && sql.includes(';')) {
      const outcome = await judge.replay(sql);
      // A comment behind the semicolon is answered as well, with nothing.
      const more = outcome.kind === 'done' ? outcome.results.slice(1) : [];
      if (more.some((rows) => rows.length > 0)) signals.push('second result');
    }
    if (signals.length > 0 || judge.isLost) this.#closeJudge();
    return signals;
  }

  async #runAll(texts: readonly string[], sqlMode: string) {
    const pair = this.#pair ?? (await this.#openPair());
    this.#pair = pair;
    const before = await pair.enter(sqlMode);
    const [outcomes, others] = await pair.run(texts);
    const signals = await pair.leave(before);
    if (this.#removeFile()) signals.push('file');
    const suspects = texts.filter((sql, i) => isSuspect(sql, outcomes[i], others[i]));
    return { outcomes, suspects, signals };
  }

  get #accounts(): readonly [Account, Account] {
    const { host, port } = this.#cluster.primary;
    return [
      { host, port, ...admin },
      { host, port, ...second },
    ];
  }

  #openPair(): Promise<Pair> {
    return Pair.open(this.flavor, this.#accounts, this.#watcher);
  }

  async #judgeIn(sqlMode: string): Promise<Judge> {
    if (this.#judge !== undefined && this.#judgeMode === sqlMode && !this.#judge.isLost) {
      return this.#judge;
    }
    this.#judge?.close();
    const judge = await Judge.open(this.flavor, this.#accounts, this.#watcher, database);
    await judge.replay(`SET sql_mode = '${sqlMode}'`);
    await judge.replay('SET @a = 5, @i = 2');
    this.#judge = judge;
    this.#judgeMode = sqlMode;
    return judge;
  }

  #closeJudge(): void {
    this.#judge?.close();
    this.#judge = undefined;
  }

  /** The file that a SELECT … INTO OUTFILE has written; whether there was one. */
  #removeFile(): boolean {
    const { folder, primary } = this.#cluster;
    const file = join(dataFolder(join(folder, primary.name)), database, 'fuzz_out');
    if (!existsSync(file)) return false;
    rmSync(file);
    return true;
  }
}

/** Two sessions that differ in all that no harmless read can see. */
class Pair {
  readonly #main: Session;
  readonly #other: Session;
  readonly #watch: Watch;

  private constructor(main: Session, other: Session, watch: Watch) {
    this.#main = main;
    this.#other = other;
    this.#watch = watch;
  }

  static async open(
    flavor: Flavor,
    accounts: readonly [Account, Account],
    watcher: Session,
  ): Promise<Pair> {
    const kill = (sql: string) => watcher.must(sql);
    const main = await Session.open(accounts[0], kill);
    const other = await Session.open(accounts[1], kill);
    for (const session of [main, other]) {
      await session.must(`USE ${database}; SET timestamp = 1600000000.123456`);
    }
    await main.must('SET @a = 5, @i = 2; SELECT LAST_INSERT_ID(4711)');
    await other.must('SET @a = 7, @i = 1; SELECT LAST_INSERT_ID(815)');
    await other.must('SET sort_buffer_size = 65536');
    return new Pair(main, other, await Watch.on(watcher, main, flavor));
  }

  close(): void {
    this.#main.close();
    this.#other.close();
  }

  /** Sets the mode and opens transactions that let nothing be written. */
  async enter(sqlMode: string): Promise<SessionState> {
    for (const session of [this.#main, this.#other]) {
      await session.must(`SET sql_mode = '${sqlMode}'`);
    }
    const state = await this.#watch.state();
    for (const session of [this.#main, this.#other])
      await session.must('START TRANSACTION READ ONLY');
    return state;
  }

  /** Runs the texts in both sessions, in the other one backwards: what came before is not alike. */
  run(texts: readonly string[]): Promise<readonly [Outcome[], Outcome[]]> {
    const backwards = texts.toReversed();
    return Promise.all([
      runEach(this.#main, texts),
      runEach(this.#other, backwards).then((outcomes) => outcomes.reverse()),
    ]);
  }

  /** Ends the transactions; what the texts have left behind in the main session. */
  async leave(before: SessionState): Promise<string[]> {
    const signals: string[] = [];
    if (this.#main.isLost || this.#other.isLost) return ['session lost'];
    if ((await this.#watch.storageLocks()) > 0) signals.push('locks');
    // Still in the transaction that was opened before the texts.
    const write = await this.#main.run('INSERT INTO log VALUES (0)');
    if (write.kind !== 'error' || write.errno !== readOnlyTransaction) signals.push('transaction');
    for (const session of [this.#main, this.#other]) await session.must('ROLLBACK');
    signals.push(...differences(before, await this.#watch.state()));
    return signals;
  }
}

async function runEach(session: Session, texts: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const sql of texts) outcomes.push(await session.run(sql));
  return outcomes;
}

/** Whether the text deserves the judge's closer look. */
function isSuspect(sql: string, one: Outcome | undefined, other: Outcome | undefined): boolean {
  if (one === undefined || other === undefined || one.kind === 'lost') return true;
  // What this hint changes for good, the clock, stands still here.
  if (/set_var/i.test(sql)) return true;
  if (one.kind === 'error') {
    if (one.errno === readOnlyTransaction) return true;
    return other.kind !== 'error' || other.errno !== one.errno;
  }
  if (one.kind !== 'done' || other.kind !== 'done') return true;
  if (one.results.length !== 1) return true;
  // The statistics that EXPLAIN shows change by themselves.
  if (/^\W*(?:EXPLAIN|DESC|ANALYZE)/i.test(sql)) return false;
  return digest(one.results) !== digest(other.results);
}

function settingsOf(flavor: Flavor): string[] {
  return [
    '--skip-log-bin',
    '--innodb-flush-method=nosync',
    '--innodb-flush-log-at-trx-commit=0',
    '--lock-wait-timeout=2',
    '--innodb-lock-wait-timeout=1',
    '--event-scheduler=OFF',
    '--sysdate-is-now',
    '--performance-schema=ON',
    '--performance-schema-instrument=%=OFF',
    '--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON',
    ...(flavor === 'mysql'
      ? ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF', '--max-execution-time=3000']
      : ['--max-statement-time=3']),
  ];
}
