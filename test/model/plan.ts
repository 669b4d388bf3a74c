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
  readonly needsSession: boolean;
}

/** The next thing that the session of a slot does; it begins one if there is none. */
export interface Step {
  readonly slot: number;
  /** What the session is, if this is its first step. */
  readonly kind: Kind;
  /** `null`: the session ends. */
  readonly saying: Saying | null;
  /** Whether the next step of another session starts before this one is done. */
  readonly overlaps: boolean;
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
    const lines = this.steps.map(({ slot, kind, saying, overlaps }) => {
      const what = saying === null ? 'ends' : `${saying.method} ${saying.template} n=${saying.n}`;
      return `\n  slot ${slot} (${kind}): ${what}${overlaps ? ' (overlaps)' : ''}`;
    });
    return `${this.limit} connections per host${lines.join('')}`;
  }
}

/** All plans with these kinds of sessions. */
export class Plans extends fc.Arbitrary<Plan> {
  readonly #arbitrary: fc.Arbitrary<readonly [number, readonly Step[]]>;

  constructor(allowed: readonly Kind[], longest: number) {
    super();
    this.#arbitrary = fc.tuple(
      fc.integer({ min: 1, max: slots }),
      fc.array(steps(allowed), { maxLength: longest, size: 'max' }),
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
    const others = steps.filter((step) => step.slot !== slot);
    if (others.length < steps.length) yield new Plan(limit, others);
  }
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = steps.length - size; at > -size; at -= size) {
      yield new Plan(limit, steps.toSpliced(Math.max(at, 0), size + Math.min(at, 0)));
    }
  }
  if (steps.some(({ overlaps }) => overlaps)) {
    const inOrder = steps.map((step) => ({ ...step, overlaps: false }));
    yield new Plan(limit, inOrder);
  }
}

function steps(allowed: readonly Kind[]): fc.Arbitrary<Step> {
  return fc.record({
    slot: fc.nat({ max: slots - 1 }),
    kind: fc.constantFrom(...allowed),
    saying: fc.option(sayings(), { freq: 14 }),
    overlaps: fc.nat({ max: 9 }).map((n) => n === 9),
  });
}

function sayings(): fc.Arbitrary<Saying> {
  return fc.oneof(
    ...groups.map((group) => ({ weight: group.weight, arbitrary: sayingsOf(group) })),
  );
}

function sayingsOf({ texts, asks, needsSession }: Group): fc.Arbitrary<Saying> {
  return fc.record({
    template: fc.constantFrom(...texts),
    n: fc.integer({ min: 1, max: 6 }),
    method: fc.constantFrom('query', 'query', 'query', 'query', 'execute'),
    asks: fc.constant(asks ?? null),
    needsSession: fc.constant(needsSession === true),
  });
}
