import fc from 'fast-check';
import { type Asks, type Group, groups } from './statements.ts';

/** The ways to be one logical client of a pool. */
export const kinds = [
  'connection',
  'handle',
  'scope',
  'alone',
  'kysely-connection',
  'kysely-scope',
  'kysely-alone',
  'knex-transaction',
  'knex-scope',
  'knex-alone',
] as const;
export type Kind = (typeof kinds)[number];

/** How many sessions are alive at once, at most. */
export const slots = 4;

/** One statement of the language, with its number. */
export interface Saying {
  readonly template: string;
  readonly n: number;
  readonly method: 'query' | 'execute';
  readonly asks: Asks | null;
  readonly needsPrimary: boolean;
}

/** The next thing that the session of a slot does; it begins one if there is none. */
export interface Turn {
  readonly slot: number;
  /** What the session is, if this is its first step. */
  readonly kind: Kind;
  /** `null`: the session ends. */
  readonly saying: Saying | null;
  /** Whether the next step of another session starts before this one is done. */
  readonly overlaps: boolean;
}

/** What happens beside the sessions. */
export type Incident =
  /** A replica applies nothing for a while. */
  | { readonly incident: 'pause'; readonly replica: number; readonly ms: number }
  /** Another process adds to its counter. */
  | { readonly incident: 'count' };

export type Step = Turn | Incident;

export function isTurn(step: Step): step is Turn {
  return 'slot' in step;
}

/** What several sessions do, in this order, on pools of one size. */
export class Plan {
  /** Connections per host. */
  readonly limit: number;
  readonly steps: readonly Step[];

  constructor(limit: number, steps: readonly Step[]) {
    this.limit = limit;
    this.steps = steps;
  }

  [fc.toStringMethod](): string {
    const lines = this.steps.map((step) => {
      if (!isTurn(step)) return `\n  ${describeIncident(step)}`;
      const { slot, kind, saying, overlaps } = step;
      const what = saying === null ? 'ends' : `${saying.method} ${saying.template} n=${saying.n}`;
      return `\n  slot ${slot} (${kind}): ${what}${overlaps ? ' (overlaps)' : ''}`;
    });
    return `${this.limit} connections per host${lines.join('')}`;
  }
}

function describeIncident(step: Incident): string {
  return step.incident === 'pause'
    ? `replica ${step.replica + 1} applies nothing for ${step.ms} ms`
    : 'another process counts';
}

/** All plans with these kinds of sessions; `replicas` is how many may be paused. */
export class Plans extends fc.Arbitrary<Plan> {
  readonly #arbitrary: fc.Arbitrary<readonly [number, readonly Step[]]>;

  constructor(allowed: readonly Kind[], replicas: number, longest: number) {
    super();
    const step = fc.oneof(
      {
        weight: 30,
        arbitrary: turns(
          allowed,
          [0, 1],
          sayings(({ weight }) => weight),
          14,
        ),
      },
      // What binds a session to its connection keeps it from moving between hosts.
      {
        weight: 30,
        arbitrary: turns(
          allowed,
          [2, 3],
          sayings(({ lightWeight }) => lightWeight ?? 0),
          30,
        ),
      },
      { weight: 6, arbitrary: fc.constant({ incident: 'count' } as const) },
      ...(replicas === 0 ? [] : [{ weight: 2, arbitrary: pauses(replicas) }]),
    );
    this.#arbitrary = fc.tuple(
      // At its end a session still has its connection until that is clean.
      fc.constantFrom(1, 2, 3, 2 * slots, 2 * slots),
      fc.array(step, { maxLength: longest, size: 'max' }),
    );
  }

  generate(random: fc.Random): fc.Value<Plan> {
    const [limit, all] = this.#arbitrary.generate(random, undefined).value;
    return new fc.Value(new Plan(limit, all), undefined);
  }

  canShrinkWithoutContext(value: unknown): value is Plan {
    return value instanceof Plan;
  }

  /** Without a slot, or without some steps: fewer of them with each attempt that fails no more. */
  shrink(plan: Plan): fc.Stream<fc.Value<Plan>> {
    return fc.stream(smallerPlans(plan)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

function* smallerPlans({ limit, steps }: Plan): IterableIterator<Plan> {
  for (let slot = 0; slot < slots; slot++) {
    const others = steps.filter((step) => !isTurn(step) || step.slot !== slot);
    if (others.length < steps.length) yield new Plan(limit, others);
  }
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = steps.length - size; at > -size; at -= size) {
      yield new Plan(limit, steps.toSpliced(Math.max(at, 0), size + Math.min(at, 0)));
    }
  }
  if (steps.some((step) => isTurn(step) && step.overlaps)) {
    const inOrder = steps.map((step) => (isTurn(step) ? { ...step, overlaps: false } : step));
    yield new Plan(limit, inOrder);
  }
}

function pauses(replicas: number): fc.Arbitrary<Incident> {
  return fc.record({
    incident: fc.constant('pause'),
    replica: fc.nat({ max: replicas - 1 }),
    ms: fc.constantFrom(100, 300),
  });
}

function turns(
  allowed: readonly Kind[],
  ofSlots: readonly number[],
  language: fc.Arbitrary<Saying>,
  /** How many statements a session has, about. */
  length: number,
): fc.Arbitrary<Turn> {
  return fc.record({
    slot: fc.constantFrom(...ofSlots),
    kind: fc.constantFrom(...allowed),
    saying: fc.option(language, { freq: length }),
    overlaps: fc.nat({ max: 9 }).map((n) => n === 9),
  });
}

function sayings(weightOf: (group: Group) => number): fc.Arbitrary<Saying> {
  return fc.oneof(
    ...groups.map((group) => ({ weight: weightOf(group), arbitrary: sayingsOf(group) })),
  );
}

function sayingsOf({ texts, asks, needsPrimary }: Group): fc.Arbitrary<Saying> {
  return fc.record({
    template: fc.constantFrom(...texts),
    n: fc.integer({ min: 1, max: 6 }),
    method: fc.constantFrom('query', 'query', 'query', 'query', 'execute'),
    asks: fc.constant(asks ?? null),
    needsPrimary: fc.constant(needsPrimary === true),
  });
}
