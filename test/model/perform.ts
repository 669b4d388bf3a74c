import { AsyncResource } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Acknowledged, isScope, olderThan, SeenCounters } from './counters.ts';
import type { Incidents } from './incidents.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { isTurn, type Kind, type Plan, type Saying, type Turn } from './plan.ts';
import type { Routes } from './routes.ts';
import { type Place, type Side, type Stage, setOf } from './stage.ts';
import { asksOf, isShared, locksReads, readsCounters, thenAlways } from './statements.ts';
import type { Run, Subject } from './subject.ts';

/** A statement that a session has said, and what became of it. */
export interface Said {
  readonly saying: Saying;
  readonly place: Place;
  readonly template: string;
  readonly outcome: Outcome;
  /** Where it ran; `null` if it ran nowhere. */
  readonly role: 'primary' | 'replica' | null;
  /** What is wrong with where it ran, or with what it showed of other sessions. */
  readonly complaint: string | null;
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

/** All that sessions need of the world. */
export interface Scene {
  readonly subject: Subject;
  readonly stage: Stage;
  readonly routes: Routes;
  readonly incidents: Incidents;
}

/** Has the sessions of a plan speak in its order, and waits until all have ended. */
export async function perform(plan: Plan, scene: Scene): Promise<Performance[]> {
  const acknowledged = new Acknowledged(scene.stage);
  const alive = new Map<number, Actor>();
  const counts = new Map<number, number>();
  const all: Actor[] = [];
  for (const step of plan.steps) {
    if (!isTurn(step)) {
      await scene.incidents.begin(step);
      continue;
    }
    let actor = alive.get(step.slot);
    if (actor === undefined) {
      if (step.saying === null) continue;
      const nth = counts.get(step.slot) ?? 0;
      counts.set(step.slot, nth + 1);
      const set = setOf(step.slot, nth);
      const before = all.findLast(({ performance }) => performance.place.set === set);
      actor = new Actor(step, nth, scene, acknowledged, before?.finished ?? null);
      alive.set(step.slot, actor);
      all.push(actor);
    }
    if (step.saying === null) alive.delete(step.slot);
    const isQuiet = all.every(({ isBusy }) => !isBusy);
    if (step.saying !== null && readsCounters(step.saying.template) && isQuiet)
      await acknowledged.update();
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
  readonly #scene: Scene;
  readonly #seen: SeenCounters;
  readonly #tasks: (Turn | 'commit' | 'rollback')[] = [];
  #wake: () => void = () => {};
  #idle: () => void = () => {};
  #isBusy = false;
  /** Whether it may lock what it reads. */
  #isLocking = false;

  constructor(
    { slot, kind }: Turn,
    nth: number,
    scene: Scene,
    acknowledged: Acknowledged,
    /** The end of the session that had the same tables. */
    before: Promise<void> | null,
  ) {
    const place = { set: setOf(slot, nth), id: `s${slot}x${nth}` };
    this.#scene = scene;
    this.#seen = new SeenCounters(kind, acknowledged);
    this.performance = { slot, kind, place, said: [], end: 'commit', endOutcome: null };
    // Each in a flow of its own, from its first call on: the plan's own flow has no statements.
    const flow = new AsyncResource('session');
    this.finished = flow.runInAsyncScope(() => this.#live(before));
  }

  /** Whether it waits for an answer, or may do so at once. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Gives it a step; waits a while until that is done, unless the step may overlap others. */
  async take(step: Turn): Promise<void> {
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

  #give(task: Turn | 'commit' | 'rollback'): void {
    this.#tasks.push(task);
    this.#isBusy = true;
    this.#wake();
  }

  async #live(before: Promise<void> | null): Promise<void> {
    const { performance } = this;
    const { stage, subject } = this.#scene;
    if (before !== null) {
      await before;
      // A scope is promised nothing of what another session has written before it.
      if (isScope(performance.kind)) await stage.cluster.waitUntilReplicated();
    }
    const { name } = stage.subject;
    const outcome = await outcomeOf(name, () =>
      subject.hold(performance.kind, async (run) => {
        performance.end = await this.#speak(run);
        return performance.end;
      }),
    );
    performance.endOutcome = outcome.kind === 'result' ? null : outcome;
    this.#isBusy = false;
    this.#idle();
  }

  async #speak(run: Run): Promise<'commit' | 'rollback'> {
    for (;;) {
      const task = await this.#next();
      if (typeof task === 'string') return task;
      if (task.saying !== null) await this.#say(run, task.saying, task.saying.template);
    }
  }

  async #next(): Promise<Turn | 'commit' | 'rollback'> {
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
    if (this.#isLocking && isShared(template)) return;
    const { said, kind, place: own } = this.performance;
    const { stage, routes } = this.#scene;
    const isAlone = kind.endsWith('alone');
    const place = isAlone ? lonePlace(own, said.length) : own;
    this.#isLocking ||= !isAlone && locksReads.test(template);
    const floor = this.#seen.floor();
    const statement = statementOf(stage.subject, template, place, saying);
    const outcome = await outcomeOf(stage.subject.name, () => run(statement));
    const role = outcome.kind === 'refused' ? null : routes.of(statement.sql);
    let complaint: string | null = null;
    if (role === 'replica') {
      if (saying.needsPrimary || template.includes('route:primary')) complaint = 'ran on a replica';
      else if (readsCounters(template)) complaint = olderThan(floor, outcome);
    }
    if (readsCounters(template)) this.#seen.saw(outcome, place);
    said.push({ saying, place, template, outcome, role, complaint });
    const next = thenAlways.get(template);
    if (next !== undefined && outcome.kind === 'result') {
      await this.#say(run, { ...saying, asks: asksOf(next), needsPrimary: false }, next);
    }
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
