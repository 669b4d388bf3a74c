import { type Connection, createConnection } from 'mysql2/promise';
import { withoutOthers } from './counters.ts';
import { asKyselySeesIt, isSame, type Outcome, outcomeOf, show } from './outcome.ts';
import { type Performance, type Said, statementOf } from './perform.ts';
import { type Kind, type Saying, slots } from './plan.ts';
import { type Stage, setUp } from './stage.ts';
import { leavesState, readsCounters } from './statements.ts';

/** A statement that gave something else on one plain connection, or something too old. */
export interface Difference {
  readonly performance: Performance;
  /** Index of the statement; the number of statements for the end of a library's transaction. */
  readonly at: number;
  readonly problem: string;
}

/**
 * Has one plain connection say what each session has said, but for what was refused, and compares.
 * Sessions of one slot share tables: they come one after the other.
 */
export async function replay(
  performances: readonly Performance[],
  stage: Stage,
): Promise<Difference[]> {
  const differences = await Promise.all(
    Array.from({ length: slots }, async (_, slot) => {
      for (const performance of performances.filter((one) => one.slot === slot)) {
        const difference = await replayOne(performance, stage);
        if (difference !== null) return difference;
      }
      return null;
    }),
  );
  return differences.filter((difference) => difference !== null);
}

async function replayOne(performance: Performance, stage: Stage): Promise<Difference | null> {
  const replayed = new Replay(performance, stage, await connect(stage));
  try {
    return await replayed.run();
  } finally {
    await replayed.close();
  }
}

async function connect(stage: Stage): Promise<Connection> {
  const connection = await createConnection(stage.connectionOptions(stage.reference));
  await connection.query(setUp);
  return connection;
}

class Replay {
  readonly #performance: Performance;
  readonly #stage: Stage;
  #connection: Connection;
  /** Whether the connection may hold what the next lone statement must not meet. */
  #isLeftBehind = false;

  constructor(performance: Performance, stage: Stage, connection: Connection) {
    this.#performance = performance;
    this.#stage = stage;
    this.#connection = connection;
  }

  async close(): Promise<void> {
    // With the answer its locks are gone, and the next session may want them.
    await this.#connection.reset().catch(() => {});
    this.#connection.destroy();
  }

  async run(): Promise<Difference | null> {
    const performance = this.#performance;
    const { kind, said, endOutcome, end } = performance;
    const isTransaction = kind === 'knex-transaction';
    if (isTransaction) await this.#connection.query('BEGIN');
    for (const [at, one] of said.entries()) {
      if (one.complaint !== null) return { performance, at, problem: one.complaint };
      const expected = await this.#expected(one);
      if (expected !== null && !isSame(expected, comparable(one, one.outcome))) {
        return { performance, at, problem: differ(one.outcome, expected) };
      }
    }
    const expected = isTransaction ? await this.#end(end) : null;
    const isAsExpected =
      endOutcome === null ? expected === null : expected !== null && isSame(expected, endOutcome);
    return isAsExpected
      ? null
      : { performance, at: said.length, problem: differ(endOutcome, expected) };
  }

  /** `null`: the statement was refused, and may be. */
  async #expected(one: Said): Promise<Outcome | null> {
    const { saying, template, place, outcome } = one;
    if (mayBe(outcome, saying.asks !== null)) return null;
    const { kind } = this.#performance;
    const { reference } = this.#stage;
    if (kind.endsWith('alone')) await this.#startAlone(saying, template);
    const { sql, values, method } = statementOf(reference, template, place, saying);
    const expected = await outcomeOf(reference.name, async () => {
      const isPrepared = hasMethods(kind) && method === 'execute';
      const answer = isPrepared
        ? this.#connection.execute(sql, values)
        : this.#connection.query(sql, values);
      return (await answer)[0];
    });
    return comparable(one, kind.startsWith('kysely') ? asKyselySeesIt(expected) : expected);
  }

  /** Lone statements share nothing; one may only ask about the one before it. */
  async #startAlone({ asks }: Saying, template: string): Promise<void> {
    if (this.#isLeftBehind && asks === null) {
      await this.close();
      this.#connection = await connect(this.#stage);
      this.#isLeftBehind = false;
    }
    this.#isLeftBehind ||= leavesState.test(template);
  }

  async #end(how: 'commit' | 'rollback'): Promise<Outcome | null> {
    const outcome = await outcomeOf(this.#stage.reference.name, () =>
      this.#connection.query(how === 'commit' ? 'COMMIT' : 'ROLLBACK'),
    );
    return outcome.kind === 'result' ? null : outcome;
  }
}

/** Without what other sessions have to do with it. */
function comparable({ template, place }: Said, outcome: Outcome): Outcome {
  return readsCounters(template) ? withoutOthers(outcome, place) : outcome;
}

function differ(found: Outcome | null, expected: Outcome | null): string {
  return `gave ${show(found)}, but ${show(expected)} on one connection`;
}

/** Kysely and Knex only ever send text. */
function hasMethods(kind: Kind): boolean {
  return !kind.includes('-');
}

/** A follow-up whose answer is lost is the only thing that rwsplit may refuse here. */
export function mayBe(outcome: Outcome, isFollowUp: boolean): boolean {
  return outcome.kind === 'refused' && outcome.code === 'RWSPLIT_FOLLOW_UP_LOST' && isFollowUp;
}
