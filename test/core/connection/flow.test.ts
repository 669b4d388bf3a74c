import { AsyncResource } from 'node:async_hooks';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  currentSession,
  wishesHere,
} from '../../../packages/core/src/connection/client-session.ts';
import {
  FlowStep,
  followFlows,
  inStep,
  nextFlow,
  openStep,
  outsideFlows,
} from '../../../packages/core/src/connection/flow.ts';
import { openSession, primary, replicas } from '../../../packages/core/src/connection/scopes.ts';
import { Session } from '../../../packages/core/src/connection/session.ts';
import { findStorage, storage } from '../../../packages/core/src/connection/storage.ts';
import { noWishes } from '../../../packages/core/src/connection/wishes.ts';

const pool = {};

/** A session that notes whether its connection was given back. */
class NotedSession extends Session {
  wasLetGo = false;

  override letGo(): void {
    this.wasLetGo = true;
    super.letGo();
  }
}

/** A turn of the event loop: what was fresh is not any more. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A step whose statement has been answered just now. */
function answered(previous: FlowStep | null = null): { step: FlowStep; session: NotedSession } {
  const step = new FlowStep(previous);
  step.use();
  const session = new NotedSession();
  step.keep(pool, session);
  return { step, session };
}

/** Runs something where nothing has run before. */
function apart<Result>(run: () => Result): Result {
  return new AsyncResource('apart').runInAsyncScope(run);
}

// First of all: what comes next follows flows.
it('follows nothing before anybody needs it', () => {
  expect(openStep()).toBeNull();
  expect(nextFlow()).toBeNull();
  expect(outsideFlows(() => 'result')).toBe('result');
  expect(findStorage()).toBeUndefined();
  followFlows();
  expect(findStorage()).toBeDefined();
});

describe('a step', () => {
  it('finds none before it where there is none', () => {
    const step = new FlowStep(null);
    expect([step.isUsed, step.isFresh]).toEqual([false, false]);
    expect(step.use()).toBeNull();
    expect(step.isUsed).toBe(true);
  });

  it('finds the one before it that has just been answered', () => {
    const { step } = answered();
    expect(step.isFresh).toBe(true);
    expect(new FlowStep(step).use()).toBe(step);
  });

  it('finds it once', () => {
    const { step } = answered();
    const next = new FlowStep(step);
    next.use();
    expect(next.use()).toBeNull();
    expect(next.previous).toBeNull();
  });

  it('does not find one whose statement was not answered, or kept nothing', () => {
    const step = new FlowStep(null);
    step.use();
    expect(new FlowStep(step).use()).toBeNull();
  });

  it('finds none from which the event loop has turned away', async () => {
    const { step } = answered();
    await turn();
    expect(step.isFresh).toBe(false);
    expect(new FlowStep(step).use()).toBeNull();
  });

  it.each<[string, () => Promise<void>]>([
    [
      'promises of promises',
      async () => {
        for (let hop = 0; hop < 12; hop++) {
          await null;
        }
      },
    ],
    ['a tick', () => new Promise((resolve) => process.nextTick(resolve))],
    [
      'ticks and promises',
      async () => {
        await new Promise<void>((resolve) => process.nextTick(resolve));
        await null;
        await new Promise<void>((resolve) => process.nextTick(resolve));
      },
    ],
    [
      'ticks behind many promises each',
      async () => {
        for (let tick = 0; tick < 3; tick++) {
          for (let hop = 0; hop < 12; hop++) {
            await null;
          }
          await new Promise<void>((resolve) => process.nextTick(resolve));
        }
      },
    ],
  ])('finds one behind what an answer sets going: %s', async (_what, wait) => {
    const { step } = answered();
    await wait();
    expect(new FlowStep(step).use()).toBe(step);
  });

  it('finds the one that set it going, although it runs later', async () => {
    const { step } = answered();
    const next = new FlowStep(step);
    await turn();
    expect(next.use()).toBe(step);
  });

  it('looks behind those that were opened and never ran', () => {
    const { step } = answered();
    const unused = new FlowStep(new FlowStep(step));
    expect(new FlowStep(unused).use()).toBe(step);
  });

  it('does not look behind the one that ran last', () => {
    const { step } = answered();
    const last = new FlowStep(step);
    last.use();
    expect(new FlowStep(last).use()).toBeNull();
  });
});

describe('what a step keeps', () => {
  it('is there once, and for its pool', () => {
    const { step, session } = answered();
    expect(step.take({})).toBeNull();
    expect(step.take(pool)).toBe(session);
    expect(step.take(pool)).toBeNull();
    expect(session.wasLetGo).toBe(false);
  });

  it('is replaced by what comes later', () => {
    const { step, session } = answered();
    const later = new NotedSession();
    step.keep(pool, later);
    expect(session.wasLetGo).toBe(true);
    expect(step.take(pool)).toBe(later);
  });

  it('is nothing if something ran that the flow does not know of', () => {
    const step = new FlowStep(null);
    step.use();
    step.overtakenBy(new FlowStep(null));
    const session = new NotedSession();
    step.keep(pool, session);
    expect([session.wasLetGo, step.isFresh]).toEqual([true, false]);
    expect(step.take(pool)).toBeNull();
  });
});

describe('a step that is overtaken', () => {
  it('gives up what it has kept', () => {
    const { step, session } = answered();
    step.overtakenBy(new FlowStep(null));
    expect(session.wasLetGo).toBe(true);
    expect(step.take(pool)).toBeNull();
  });

  it('has the last one that ran give it up', () => {
    const { step, session } = answered();
    new FlowStep(new FlowStep(step)).overtakenBy(new FlowStep(null));
    expect(session.wasLetGo).toBe(true);
  });

  it('is none where the flow comes to the step in its order', () => {
    const { step, session } = answered();
    const opened = new FlowStep(step);
    opened.overtakenBy(opened);
    new FlowStep(opened).overtakenBy(opened);
    expect(session.wasLetGo).toBe(false);
    expect(opened.use()).toBe(step);
  });

  it('gives up its own answer when it runs again', () => {
    const { step, session } = answered();
    step.overtakenBy(step);
    expect(session.wasLetGo).toBe(true);
    const second = answered();
    new FlowStep(second.step).overtakenBy(second.step);
    expect(second.session.wasLetGo).toBe(true);
  });

  it('is none where nothing ran', () => {
    expect(() => new FlowStep(null).overtakenBy(new FlowStep(null))).not.toThrow();
  });
});

describe('the flow of a caller', () => {
  beforeEach(() => storage().enterWith(undefined));

  it('is at the step that was opened last, until it is used', () => {
    apart(() => {
      const step = openStep();
      expect(storage().getStore()).toBe(step);
      const flow = nextFlow();
      expect(flow).toEqual({ step, previous: null });
      expect(step?.isUsed).toBe(true);
    });
  });

  it('opens a step for a statement that runs at once', () => {
    apart(() => {
      const flow = nextFlow();
      expect(flow?.step.isUsed).toBe(true);
      expect(storage().getStore()).toBe(flow?.step);
    });
  });

  it('comes from the last step while that is fresh', async () => {
    await apart(async () => {
      const first = nextFlow()?.step;
      first?.keep(pool, new Session());
      expect(nextFlow()?.previous).toBe(first);
    });
    await apart(async () => {
      nextFlow()?.step.keep(pool, new Session());
      await turn();
      expect(nextFlow()?.previous).toBeNull();
    });
  });

  it('comes from the last step through one that is opened for later', async () => {
    await apart(async () => {
      const first = nextFlow()?.step;
      first?.keep(pool, new Session());
      openStep();
      await turn();
      expect(nextFlow()?.previous).toBe(first);
    });
  });

  it('is at no step that is over when another one is opened', async () => {
    await apart(async () => {
      const first = nextFlow()?.step;
      first?.keep(pool, new Session());
      await turn();
      expect(openStep()?.previous).toBeNull();
    });
  });

  it('is not followed in a session', () => {
    const session = openSession();
    session.run(() => {
      expect(openStep()).toBeNull();
      expect(nextFlow()).toBeNull();
      session.end();
      expect(openStep()).toBeInstanceOf(FlowStep);
      expect(nextFlow()?.step.isUsed).toBe(true);
    });
  });

  it('forgets a flow in which a thousand steps are opened and none is used', () => {
    apart(() => {
      const steps = Array.from({ length: 1002 }, () => openStep());
      expect(steps[1000]?.previous).toBe(steps[999]);
      expect(steps[1001]?.previous).toBeNull();
      nextFlow();
      const step = openStep();
      expect(openStep()?.previous).toBe(step);
    });
  });

  it('is its own in each of two that run at the same time', async () => {
    const run = () =>
      apart(async () => {
        const step = openStep();
        await null;
        return [step, nextFlow()?.step];
      });
    const [one, other] = await Promise.all([run(), run()]);
    expect(one?.[0]).toBe(one?.[1]);
    expect(other?.[0]).toBe(other?.[1]);
    expect(one?.[0]).not.toBe(other?.[0]);
  });
});

describe('a statement that runs in a step of its own', () => {
  it('is in it, and leaves the flow where it was', () => {
    apart(() => {
      storage().enterWith(undefined);
      const step = new FlowStep(null);
      expect(inStep(step, () => nextFlow()?.step)).toBe(step);
      expect(storage().getStore()).toBeUndefined();
    });
  });

  it('overtakes what the flow has run in between', () => {
    apart(() => {
      const { step, session } = answered();
      storage().enterWith(step);
      inStep(new FlowStep(null), () => nextFlow());
      expect(session.wasLetGo).toBe(true);
    });
  });

  it('does not overtake its own flow', () => {
    apart(() => {
      const { step, session } = answered();
      const opened = new FlowStep(step);
      storage().enterWith(opened);
      expect(inStep(opened, () => nextFlow()?.previous)).toBe(step);
      expect(session.wasLetGo).toBe(false);
    });
  });

  it('is in the session that it is run in, not in its step', () => {
    const session = openSession();
    session.run(() => {
      inStep(new FlowStep(null), () => {
        expect(storage().getStore()).not.toBeInstanceOf(FlowStep);
        expect(currentSession()).toBe(session);
      });
      session.end();
      const step = new FlowStep(null);
      inStep(step, () => expect(storage().getStore()).toBe(step));
    });
  });

  it('is in nobody’s flow where it is nobody’s statement', () => {
    apart(() => {
      storage().enterWith(new FlowStep(null));
      outsideFlows(() => expect(storage().getStore()).toBeUndefined());
      openSession().run(() => outsideFlows(() => expect(storage().getStore()).toBeUndefined()));
    });
  });
});

describe('what is wished for a statement', () => {
  const wished = { ...noWishes, forcePrimary: true };

  beforeEach(() => storage().enterWith(undefined));

  it('goes with a step from where that is opened', async () => {
    const step = await primary(() => openStep());
    expect(step?.wishes).toEqual(wished);
    expect(openStep()?.wishes).toEqual(noWishes);
  });

  it('is still wished in the steps of the block that come later', async () => {
    await primary(async () => {
      openStep();
      expect(wishesHere()).toEqual(wished);
      nextFlow();
      await turn();
      expect(wishesHere()).toEqual(wished);
      expect(openStep()?.wishes).toEqual(wished);
    });
    expect(wishesHere()).toEqual(noWishes);
  });

  it('is what is wished where the step is run, not where it was opened', async () => {
    const opened = await primary(() => openStep() ?? new FlowStep(null));
    inStep(opened, () => expect(wishesHere()).toEqual(noWishes));
    const other = openStep() ?? new FlowStep(null);
    const inBlock = await replicas(() => inStep(other, () => wishesHere()));
    expect(inBlock).toEqual({ ...noWishes, consistency: 'eventual', group: 'default' });
    expect(other.wishes).toEqual(inBlock);
  });

  it('is that of the session that a step is run in', () => {
    const step = openStep() ?? new FlowStep(null);
    openSession({ consistency: 'process' }).run(() =>
      inStep(step, () => expect(wishesHere()).toEqual({ ...noWishes, consistency: 'process' })),
    );
    expect(step.wishes).toEqual(noWishes);
  });

  it('is no more where it is nobody’s statement', async () => {
    await primary(() => {
      expect(wishesHere()).toEqual(wished);
      outsideFlows(() => expect(wishesHere()).toEqual(noWishes));
    });
  });

  it('keeps a block apart from the flow around it', async () => {
    await apart(async () => {
      const { step } = answered();
      storage().enterWith(step);
      // Nobody says whose answer that would be: a question is refused, not answered for another.
      await primary(() => expect(nextFlow()?.previous).toBeNull());
      expect(storage().getStore()).toBe(step);
    });
  });
});
