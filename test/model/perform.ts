import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Kind, Plan, Saying, Step } from './plan.ts';
import { type Place, type Side, type Stage, setOf } from './stage.ts';
import { thenAlways } from './statements.ts';
import type { Run, Subject } from './subject.ts';

/** A statement that a session has said, and what became of it. */
export interface Said {
  readonly saying: Saying;
  readonly place: Place;
  readonly template: string;
  readonly outcome: Outcome;
}

/** One session from its beginning to its end. */
export interface Performance {
  readonly slot: number;
  readonly kind: Kind;
  readonly place: Place;
  readonly said: Said[];
  /** What a library's own transaction ended with. */
  end: 'commit' | 'rollback';
  endOutcome: Outcome | null;
}

/** How long a step is waited for. What takes longer waits for another session's connection. */
const patience = 20;

/** Has the sessions of a plan speak in its order, and waits until all have ended. */
export async function perform(plan: Plan, subject: Subject, stage: Stage): Promise<Performance[]> {
  const alive = new Map<number, Actor>();
  const counts = new Map<number, number>();
  const all: Actor[] = [];
  for (const step of plan.steps) {
    let actor = alive.get(step.slot);
    if (actor === undefined) {
      if (step.saying === null) continue;
      const nth = counts.get(step.slot) ?? 0;
      counts.set(step.slot, nth + 1);
      const set = setOf(step.slot, nth);
      const before = all.findLast(({ performance }) => performance.place.set === set);
      actor = new Actor(step, nth, subject, stage, before?.finished ?? null);
      alive.set(step.slot, actor);
      all.push(actor);
    }
    if (step.saying === null) alive.delete(step.slot);
    await actor.take(step);
  }
  for (const actor of alive.values()) actor.end('commit');
  await Promise.all(all.map(({ finished }) => finished));
  return all.map(({ performance }) => performance);
}

/** Somebody who is one logical client, and says what it is told to, one thing after the other. */
class Actor {
  readonly performance: Performance;
  readonly finished: Promise<void>;
  readonly #stage: Stage;
  readonly #tasks: (Step | 'commit' | 'rollback')[] = [];
  #wake: () => void = () => {};
  #idle: () => void = () => {};
  #isBusy = false;

  constructor(
    { slot, kind }: Step,
    nth: number,
    subject: Subject,
    stage: Stage,
    /** The end of the session that had the same tables. */
    before: Promise<void> | null,
  ) {
    const place = { set: setOf(slot, nth), id: `s${slot}x${nth}` };
    this.#stage = stage;
    this.performance = { slot, kind, place, said: [], end: 'commit', endOutcome: null };
    // Each in a flow of its own, from its first call on: the plan's own flow has no statements.
    const flow = new AsyncResource('session');
    this.finished = flow.runInAsyncScope(() => this.#live(subject, before));
  }

  /** Gives it a step; waits a while until that is done, unless the step may overlap others. */
  async take(step: Step): Promise<void> {
    const wasBusy = this.#isBusy;
    this.#give(step.saying === null ? (step.overlaps ? 'rollback' : 'commit') : step);
    if (wasBusy || step.overlaps) return;
    const done = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    const waiting = new AbortController();
    await Promise.race([
      done,
      this.finished,
      sleep(patience, null, { signal: waiting.signal }).catch(() => {}),
    ]);
    waiting.abort();
  }

  end(how: 'commit' | 'rollback'): void {
    this.#give(how);
  }

  #give(task: Step | 'commit' | 'rollback'): void {
    this.#tasks.push(task);
    this.#isBusy = true;
    this.#wake();
  }

  async #live(subject: Subject, before: Promise<void> | null): Promise<void> {
    const { performance } = this;
    if (before !== null) {
      await before;
      await this.#stage.cluster.waitUntilReplicated();
    }
    const { name } = this.#stage.subject;
    const outcome = await outcomeOf(name, () =>
      subject.hold(performance.kind, async (run) => {
        performance.end = await this.#speak(run);
        return performance.end;
      }),
    );
    performance.endOutcome = outcome.kind === 'result' ? null : outcome;
    this.#idle();
  }

  async #speak(run: Run): Promise<'commit' | 'rollback'> {
    for (;;) {
      const task = await this.#next();
      if (typeof task === 'string') return task;
      if (task.saying !== null) await this.#say(run, task.saying, task.saying.template);
    }
  }

  async #next(): Promise<Step | 'commit' | 'rollback'> {
    for (;;) {
      const task = this.#tasks.shift();
      if (task !== undefined) return task;
      this.#isBusy = false;
      this.#idle();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #say(run: Run, saying: Saying, template: string): Promise<void> {
    const { said, kind } = this.performance;
    const isAlone = kind.endsWith('alone');
    const place = isAlone ? lonePlace(this.performance.place, said.length) : this.performance.place;
    // A lone read is promised nothing of what was written before it.
    const text = isAlone && saying.needsSession ? `/* route:primary */ ${template}` : template;
    const outcome = await outcomeOf(this.#stage.subject.name, () =>
      run(statementOf(this.#stage.subject, text, place, saying)),
    );
    said.push({ saying, place, template: text, outcome });
    const next = thenAlways.get(template);
    if (next !== undefined && outcome.kind === 'result') await this.#say(run, saying, next);
  }
}

/** The one before it may not have let go of its lock yet: its connection is reset meanwhile. */
function lonePlace({ set, id }: Place, index: number): Place {
  return { set, id: `${id}n${index}` };
}

export function statementOf(side: Side, template: string, place: Place, { n, method }: Saying) {
  const values = template.includes('?') && !template.startsWith('PREPARE') ? [n] : [];
  return { sql: side.render(template, place, n), values, method };
}
