import fc from 'fast-check';
import { Incidents } from './incidents.ts';
import { show } from './outcome.ts';
import { perform, statementOf } from './perform.ts';
import { isTurn, type Kind, type Plan, Plans } from './plan.ts';
import { type Difference, replay } from './replay.ts';
import { Routes } from './routes.ts';
import { allSets, type Stage } from './stage.ts';
import { type Core, isRoomy, Subject } from './subject.ts';
import { Tally } from './tally.ts';

export interface CheckOptions {
  readonly stage: Stage;
  readonly core: Core;
  readonly kinds: readonly Kind[];
  readonly seed: number;
  /** Statements to try, about. */
  readonly statements: number;
  /** Where in the seed's cases a failure was: what a failing run has printed. */
  readonly path?: string;
  /** Whether a plan that fails is made smaller. Default: true. */
  readonly shrinks?: boolean;
}

/** The most steps of a plan. */
const longest = 300;
/** A plan that takes longer hangs: a connection is missing. */
const timeout = 12_000;

/**
 * Tries random plans, and compares each session with a plain connection.
 *
 * @throws Error with the smallest plan that fails, its seed and its path.
 */
export async function check({
  stage,
  core,
  kinds,
  seed,
  ...options
}: CheckOptions): Promise<Tally> {
  const tally = new Tally();
  const trial = new Trial(stage, core, tally);
  await fc.assert(
    fc.asyncProperty(new Plans(kinds, stage.pausable.length, longest), (plan) => trial.run(plan)),
    {
      seed,
      ...(options.path === undefined ? {} : { path: options.path }),
      numRuns: Math.ceil(options.statements / (longest / 2)),
      includeErrorInReport: true,
      endOnFailure: options.shrinks === false,
      // Of all the time that shrinking may take.
      interruptAfterTimeLimit: 60_000 + options.statements * 20,
    },
  );
  return tally;
}

class Trial {
  readonly #stage: Stage;
  readonly #core: Core;
  readonly #tally: Tally;

  constructor(stage: Stage, core: Core, tally: Tally) {
    this.#stage = stage;
    this.#core = core;
    this.#tally = tally;
  }

  async run(plan: Plan): Promise<void> {
    const stage = this.#stage;
    const subject = new Subject(this.#core, stage, plan.limit);
    using routes = new Routes();
    const incidents = new Incidents(stage);
    let used: ReadonlySet<number> | null = null;
    let differences: string[] = [];
    try {
      const performances = await inTime(perform(plan, { subject, stage, routes, incidents }));
      used = new Set(performances.map(({ place }) => place.set));
      differences = (await replay(performances, stage)).map((one) => describe(one, stage));
      if (differences.length === 0) differences = await this.#differentTables(used);
      for (const one of performances) this.#tally.add(one, isRoomy(plan.limit));
    } finally {
      this.#tally.replicaReads += routes.replicaReads;
      if (used === null) await stage.endAll();
      await inTime(Promise.all([subject.close(), incidents.end()]));
      await this.#tidy(plan, used ?? allSets);
    }
    if (differences.length > 0) throw new Error(differences.join('\n'));
  }

  async #differentTables(used: ReadonlySet<number>): Promise<string[]> {
    const { reference, subject } = this.#stage;
    const different: string[] = [];
    for (const set of used) {
      const [found, expected] = await Promise.all(
        [subject, reference].map(async (side) =>
          JSON.stringify(await this.#stage.contents(side, set)),
        ),
      );
      if (found !== expected) {
        different.push(`tables of set ${set}: expected ${expected}, found ${found}`);
      }
    }
    return different;
  }

  async #tidy(plan: Plan, used: ReadonlySet<number>): Promise<void> {
    if (plan.steps.some((step) => isTurn(step) && step.saying?.template.includes('extra'))) {
      await this.#stage.dropExtras(used);
    }
    await this.#stage.reset(used);
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The session up to the statement that went wrong, readable. */
function describe({ performance, at, problem }: Difference, stage: Stage): string {
  const lines = performance.said.slice(0, at + 1).map((one) => {
    const { saying, template, place, outcome, role } = one;
    const { sql, values, method } = statementOf(stage.subject, template, place, saying);
    const bound = values.length === 0 ? '' : ` -- ${values.join(', ')}`;
    return `  ${role ?? 'nowhere'}: ${method} ${sql}${bound}  => ${show(outcome)}`;
  });
  const where = at < performance.said.length ? 'the last statement' : performance.end;
  return [`${performance.kind} in slot ${performance.slot}: ${where} ${problem}`, ...lines].join(
    '\n',
  );
}
