import { setTimeout as sleep } from 'node:timers/promises';
import { readRows } from '../../packages/core/src/catalogue/read-rows.ts';
import type { CatalogueRows } from '../../packages/core/src/catalogue/rows.ts';
import { admin } from '../support/servers/accounts.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../support/servers/start-cluster.ts';
import { Judge } from './judge.ts';
import { type Account, Session } from './session.ts';

/** The second session has another user, so that an answer that names it shows. */
const second = { user: 'rwsplit_second', password: 'second-password' };

/** The database that the test suites expect. */
const database = 'test';

const changesFunctions = /\b(?:FUNCTION|DATABASE|SCHEMA|CALL|EXECUTE|SOURCE)\b/i;

const systemDatabases = ['information_schema', 'mysql', 'performance_schema', 'sys', 'app'];

/** A server of its own for one worker, with databases that are thrown away after each file. */
export class Bench implements AsyncDisposable {
  readonly #flavor: Flavor;
  #cluster: OwnedCluster;
  #watcher: Session;
  /** Those of the last judge. */
  #sessions: readonly number[] = [];
  /** Names of the stored functions in the databases of the tests; `undefined` after a change. */
  #functions: ReadonlySet<string> | undefined;

  private constructor(flavor: Flavor, cluster: OwnedCluster, watcher: Session) {
    this.#flavor = flavor;
    this.#cluster = cluster;
    this.#watcher = watcher;
  }

  static async open(flavor: Flavor): Promise<Bench> {
    const cluster = await openCluster(flavor);
    return new Bench(flavor, cluster, await openWatcher(cluster));
  }

  /** A judge with an empty database; the one before must be closed. */
  async judge(): Promise<Judge> {
    try {
      return await this.#open();
    } catch {
      // The test suites know statements that end a server, lock it up or change its accounts.
      await this.#renew();
      return this.#open();
    }
  }

  /** As the server tells it. */
  async version(): Promise<string> {
    const [rows] = await this.#watcher.must('SELECT VERSION()');
    return String(rows?.[0]?.[0]);
  }

  /** Told of every statement that is not judged: it may create or drop a function. */
  note(sql: string): void {
    if (changesFunctions.test(sql)) this.#functions = undefined;
  }

  /** Words of a text that are names of stored functions, in lower case. */
  async functionsIn(sql: string): Promise<string[]> {
    this.#functions ??= await this.#readFunctions();
    const { size } = this.#functions;
    if (size === 0) return [];
    const words = new Set(sql.toLowerCase().match(/[\w$\u0080-\uffff]+/g));
    return [...words].filter((word) => this.#functions?.has(foldAccents(word)));
  }

  async #readFunctions(): Promise<ReadonlySet<string>> {
    const [rows] = await this.#watcher.must(
      'SELECT DISTINCT ROUTINE_NAME FROM information_schema.ROUTINES ' +
        "WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA NOT IN ('mysql', 'sys')",
    );
    return new Set(rows?.map(([name]) => foldAccents(String(name))));
  }

  /** What the catalogue says now, to a connection that nobody has set up. */
  async catalogue(): Promise<CatalogueRows> {
    return readRows(async (sql) => (await this.#watcher.must(sql))[0] ?? [], this.#flavor);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher.close();
    await this.#cluster.stop();
  }

  async #open(): Promise<Judge> {
    this.#functions = undefined;
    await this.#endSessions();
    await this.#dropDatabases();
    await this.#watcher.must(`CREATE DATABASE ${database}`);
    const { host, port } = this.#cluster.primary;
    const accounts: readonly [Account, Account] = [
      { host, port, ...admin },
      { host, port, ...second },
    ];
    const judge = await Judge.open(this.#flavor, accounts, this.#watcher, database);
    this.#sessions = judge.ids;
    return judge;
  }

  async #renew(): Promise<void> {
    this.#watcher.close();
    await this.#cluster.stop();
    this.#cluster = await openCluster(this.#flavor);
    this.#watcher = await openWatcher(this.#cluster);
    this.#sessions = [];
  }

  /** A closed connection holds its locks until its thread has noticed. */
  async #endSessions(): Promise<void> {
    const ids = this.#sessions.join(', ') || '0';
    const alive = `FROM performance_schema.threads WHERE PROCESSLIST_ID IN (${ids})`;
    for (let round = 0; round < 100; round++) {
      const [rows] = await this.#watcher.must(`SELECT PROCESSLIST_ID ${alive}`);
      if (rows === undefined || rows.length === 0) return;
      for (const [id] of rows) await this.#watcher.run(`KILL ${id}`);
      await sleep(round);
    }
    throw new Error('a session does not end');
  }

  async #dropDatabases(): Promise<void> {
    const [rows] = await this.#watcher.must('SHOW DATABASES');
    const names = (rows ?? []).map((row) => String(row[0]));
    for (const name of names.filter((each) => !systemDatabases.includes(each))) {
      await this.#watcher.run(`DROP DATABASE \`${name.replaceAll('`', '``')}\``);
    }
  }
}

/** Names of routines are compared without case and accents. */
function foldAccents(name: string): string {
  return name.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

async function openCluster(flavor: Flavor): Promise<OwnedCluster> {
  const cluster = await startCluster({
    flavor,
    replicas: 0,
    statementLog: false,
    settings: settings(flavor),
  });
  const { primary } = cluster;
  await primary.query(`CREATE USER ${second.user} IDENTIFIED BY '${second.password}'`);
  await primary.query(`GRANT ALL PRIVILEGES ON *.* TO ${second.user} WITH GRANT OPTION`);
  return cluster;
}

function openWatcher(cluster: OwnedCluster): Promise<Session> {
  const { host, port } = cluster.primary;
  return Session.open({ host, port, ...admin }, (sql) => cluster.primary.query(sql));
}

function settings(flavor: Flavor): string[] {
  return [
    '--skip-log-bin',
    // Nothing here needs to survive.
    '--innodb-flush-method=nosync',
    '--innodb-flush-log-at-trx-commit=0',
    '--lock-wait-timeout=2',
    '--innodb-lock-wait-timeout=1',
    '--event-scheduler=OFF',
    // New statistics in between would change plans, and with them orders that nobody asked for.
    '--innodb-stats-auto-recalc=OFF',
    // A clock that can be stopped.
    '--sysdate-is-now',
    // The tables that the judge looks into, and nothing measured.
    '--performance-schema=ON',
    '--performance-schema-instrument=%=OFF',
    '--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON',
    ...(flavor === 'mysql'
      ? ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF', '--max-execution-time=3000']
      : ['--character-set-server=latin1', '--max-statement-time=3']),
  ];
}
