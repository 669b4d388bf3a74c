import type { Flavor } from '../support/servers/flavor.ts';
import { type Account, digest, type Outcome, Session } from './session.ts';
import { differences, mirror, type SessionState, Watch } from './state.ts';

/** What the server showed of one read. */
export type Verdict =
  | { readonly kind: 'safe' }
  /** It wrote, locked, changed its session, or answered from its session. */
  | { readonly kind: 'hazard'; readonly signals: readonly string[] }
  /** It had no effect; whether another session answers alike cannot be told. */
  | { readonly kind: 'open'; readonly why: Uncertainty }
  /** The server refused it, for a reason that has nothing to do with replicas. */
  | { readonly kind: 'failed'; readonly code: string };

/** Why an answer cannot be compared. */
export type Uncertainty =
  /** The same session answers differently the second time. */
  | 'unstable'
  /** The other session does not have this one's temporary tables. */
  | 'temporary-table'
  /** The other session cannot be set up like this one. */
  | 'settings'
  /** Killed after some seconds. */
  | 'slow'
  /** The session ended, or could not be brought to a state that can be compared. */
  | 'lost';

const readOnlyTransaction = 1792;
const killed = new Set([1317, 1969, 3024]);

// With it the clock stands still, in both sessions alike.
const stopClock = 'SET timestamp = 1600000000.123456';

const leave = 'UNLOCK TABLES; ROLLBACK AND NO CHAIN NO RELEASE';
const enter =
  // A non-locking read of a SERIALIZABLE transaction locks; outside of one it does not.
  'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION READ ONLY';

/** Two sessions of one server that are set up alike, and a third one that watches. */
export class Judge {
  readonly #main: Session;
  readonly #other: Session;
  readonly #watch: Watch;
  readonly #otherWatch: Watch;
  #before: SessionState | undefined;
  #otherState: SessionState | undefined;
  /** Settings that the other session could not be given. */
  readonly #different = new Set<string>();
  readonly #temporaryTables = new Set<string>();

  private constructor(main: Session, other: Session, watch: Watch, otherWatch: Watch) {
    this.#main = main;
    this.#other = other;
    this.#watch = watch;
    this.#otherWatch = otherWatch;
  }

  /**
   * @param accounts of the two sessions; both with all rights
   * @param watcher stays with the caller
   */
  static async open(
    flavor: Flavor,
    accounts: readonly [Account, Account],
    watcher: Session,
    database: string,
  ): Promise<Judge> {
    const kill = (sql: string) => watcher.must(sql);
    const main = await Session.open(accounts[0], kill);
    const other = await Session.open(accounts[1], kill);
    for (const session of [main, other]) {
      await session.must(`USE ${database}; ${stopClock}; SET @rwsplit = 1`);
    }
    // Each has an insert behind it, and no two the same one.
    await main.must('SELECT LAST_INSERT_ID(4711)');
    await other.must('SELECT LAST_INSERT_ID(815)');
    const watches = [main, other].map((session) => Watch.on(watcher, session, flavor));
    const [watch, otherWatch] = await Promise.all(watches);
    if (watch === undefined || otherWatch === undefined) throw new Error('nobody watches');
    return new Judge(main, other, watch, otherWatch);
  }

  get isLost(): boolean {
    return this.#main.isLost || this.#other.isLost;
  }

  /** Connection ids of both sessions. */
  get ids(): readonly number[] {
    return [this.#main.id, this.#other.id];
  }

  close(): void {
    this.#main.close();
    this.#other.close();
  }

  /** Runs a statement in the main session, as the test has it. */
  async replay(sql: string): Promise<Outcome> {
    this.#before = undefined;
    const outcome = await this.#main.run(sql);
    this.#noteTemporaryTables(sql);
    if (/timestamp/i.test(sql)) await this.#main.run(stopClock);
    return outcome;
  }

  /** Judges a read in the state that the main session is in. */
  async judge(sql: string): Promise<Verdict> {
    try {
      return await this.#judge(sql);
    } catch {
      this.#before = undefined;
      return { kind: 'open', why: 'lost' };
    }
  }

  async #judge(sql: string): Promise<Verdict> {
    const before = await this.#settle();
    await this.#main.must(enter);
    const answer = await this.#main.run(sql);
    if (answer.kind === 'lost') return { kind: 'open', why: 'lost' };
    const locks = await this.#watch.storageLocks();
    await this.#main.must(leave);
    const after = await this.#watch.state();
    this.#before = after;
    const signals = differences(before, after);
    if (locks > 0) signals.push('locks');
    if (isError(answer, readOnlyTransaction)) signals.push('writes');
    if (/timestamp/i.test(sql) && (await this.#stopsClock(sql))) signals.push('clock');
    if (signals.length > 0) return { kind: 'hazard', signals };
    return this.#compare(sql, answer, before);
  }

  /** Whether the clock of the session, set going for this, stands still after the read. */
  async #stopsClock(sql: string): Promise<boolean> {
    await this.#main.must('SET timestamp = DEFAULT');
    await this.#ask(this.#main, sql);
    const times = [
      await this.#main.must('SELECT @@timestamp'),
      await this.#main.must('SELECT @@timestamp'),
    ];
    await this.#main.must(stopClock);
    return new Set(times.map(digest)).size === 1;
  }

  /** Ends what is open in the main session; what it did in a transaction is for all to see then. */
  async #settle(): Promise<SessionState> {
    if (this.#before !== undefined) return this.#before;
    await this.#main.must('UNLOCK TABLES; COMMIT AND NO CHAIN NO RELEASE');
    let state = await this.#watch.state();
    if (state.variables.size < 100) {
      // sql_select_limit limits SHOW as well.
      await this.#main.must('SET sql_select_limit = DEFAULT');
      state = await this.#watch.state();
    }
    return state;
  }

  async #compare(sql: string, answer: Outcome, state: SessionState): Promise<Verdict> {
    if (isSlow(answer)) return { kind: 'open', why: 'slow' };
    if (answer.kind === 'error') return { kind: 'failed', code: answer.code };
    await this.#mirror(state);
    const other = await this.#ask(this.#other, sql, oddPast);
    if (isSame(answer, other)) return { kind: 'safe' };
    if (isSlow(other)) return { kind: 'open', why: 'slow' };
    if (this.#namesTemporaryTable(sql)) return { kind: 'open', why: 'temporary-table' };
    if (this.#different.size > 0) return { kind: 'open', why: 'settings' };
    return this.#hearAgain(sql, answer, other);
  }

  /** Who does not agree with himself cannot be compared with another. */
  async #hearAgain(sql: string, answer: Outcome, other: Outcome): Promise<Verdict> {
    const again = await this.#ask(this.#main, sql);
    this.#before = undefined;
    const otherAgain = await this.#ask(this.#other, sql, oddPast);
    if (!isSame(other, otherAgain)) return { kind: 'open', why: 'unstable' };
    if (isSame(answer, again))
      return { kind: 'hazard', signals: ['another session answers otherwise'] };
    // The first answer used up what the session remembered: sql_auto_is_null.
    // The statistics that EXPLAIN shows change by themselves.
    if (isSame(other, again) && !/^\W*(?:EXPLAIN|DESC|ANALYZE)/i.test(sql))
      return { kind: 'hazard', signals: ['answers otherwise the first time'] };
    return { kind: 'open', why: 'unstable' };
  }

  /** Gives the other session the settings of this one. */
  async #mirror(state: SessionState): Promise<void> {
    const known = this.#otherState ?? (await this.#otherWatch.state());
    for (const { name, statement } of mirror(state, known)) {
      let outcome = await this.#other.run(statement);
      // An empty string can stand for NULL: character_set_results.
      if (outcome.kind === 'error' && statement.endsWith("= ''")) {
        outcome = await this.#other.run(statement.replace(/''$/, 'NULL'));
      }
      if (outcome.kind === 'done') this.#different.delete(name);
      else this.#different.add(name);
    }
    // A session that has a database keeps one.
    if (state.database !== '' || known.database === '') this.#different.delete('database');
    else this.#different.add('database');
    this.#otherState = state;
  }

  async #ask(session: Session, sql: string, past = ''): Promise<Outcome> {
    await session.must(`${enter}${past}`);
    const outcome = await session.run(sql);
    await session.must(leave);
    return outcome;
  }

  #noteTemporaryTables(sql: string): void {
    for (const [, name] of sql.matchAll(creations)) this.#temporaryTables.add(lastPart(name));
    if (!/\bRENAME\b/i.test(sql) || !this.#namesTemporaryTable(sql)) return;
    for (const word of wordsOf(sql)) this.#temporaryTables.add(word);
  }

  #namesTemporaryTable(sql: string): boolean {
    return wordsOf(sql).some((word) => this.#temporaryTables.has(word));
  }
}

// Other rows found and changed than in the main session, whose last statement was START.
const oddPast = '; SELECT 1 UNION SELECT 2 UNION SELECT 3';

const creations = /\bTEMPORARY\s+(?:TABLE|SEQUENCE)\s+(?:IF\s+NOT\s+EXISTS\s+)?([^\s(;]+)/gi;

function wordsOf(sql: string): string[] {
  return sql.toLowerCase().match(/[\w$\u0080-\uffff]+/g) ?? [];
}

function lastPart(name = ''): string {
  return (name.split('.').at(-1) ?? '').replaceAll('`', '').toLowerCase();
}

function isError(outcome: Outcome, errno: number): boolean {
  return outcome.kind === 'error' && outcome.errno === errno;
}

function isSlow(outcome: Outcome): boolean {
  return outcome.kind === 'slow' || (outcome.kind === 'error' && killed.has(outcome.errno));
}

function isSame(one: Outcome, two: Outcome): boolean {
  if (one.kind === 'done' && two.kind === 'done')
    return digest(one.results) === digest(two.results);
  return one.kind === 'error' && isError(two, one.errno);
}
