import { describe, expect, it } from 'vitest';
import type { ClientSession } from '../../../packages/core/src/connection/client-session.ts';
import { openSession } from '../../../packages/core/src/connection/scopes.ts';
import {
  type SessionContext,
  type Task,
  TaskQueue,
} from '../../../packages/core/src/connection/task-queue.ts';
import type { Causality } from '../../../packages/core/src/consistency/causality.ts';
import { type Servers, serversOf } from '../../../packages/core/src/consistency/servers.ts';
import type { Role } from '../../../packages/core/src/routing/reasons.ts';
import type { SessionState } from '../../../packages/core/src/session/state.ts';
import type { Answer, StatePin } from '../../../packages/core/src/statement/facts.ts';
import { hold, holding, open, session, written } from '../session/states.ts';
import { leaseOn } from './leases.ts';

let addresses = 0;

function newServers(): Servers {
  addresses += 1;
  return serversOf('', `db-${addresses}`);
}

/** Servers of their own for each context, and what was noted of writes there. */
function causalityOf(noted: unknown[], servers = newServers()): Causality {
  const causality: Pick<Causality, 'servers' | 'noteMissed'> = {
    servers,
    noteMissed: (marks) => noted.push(marks),
  };
  return causality as Causality;
}

/** A queue settles who runs when; hosts and catalogue are for the tasks. */
function contextOf(rest: Partial<SessionContext> = {}): SessionContext {
  const causality = causalityOf([]);
  const gate = { isOpen: true };
  return { acquireTimeout: 60_000, isClosed: false, causality, gate, ...rest } as SessionContext;
}

/** A task that is done when it is told so. */
class Slow implements Task {
  readonly name: string;
  readonly #log: string[];
  #done: () => void = () => {};

  constructor(name: string, log: string[]) {
    this.name = name;
    this.#log = log;
  }

  run(done: () => void): void {
    this.#log.push(this.name);
    this.#done = done;
  }

  refuse(error: Error & { code?: string }): void {
    this.#log.push(`${this.name} ${error.code}`);
  }

  end(): void {
    this.#done();
  }
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

describe('tasks', () => {
  it('run one after the other, in their order', () => {
    const log: string[] = [];
    const queue = new TaskQueue(contextOf(), null, null);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Slow(name, log));
    for (const task of [a, b, c]) {
      if (task !== undefined) queue.enqueue(task);
    }
    expect([log, queue.running]).toEqual([['a'], a]);
    a?.end();
    b?.end();
    expect(log).toEqual(['a', 'b', 'c']);
    c?.end();
    expect(queue.running).toBeNull();
  });

  it('are refused after the release, but for those that were given before it', async () => {
    const log: string[] = [];
    const queue = new TaskQueue(contextOf(), null, null);
    const [a, b] = [new Slow('a', log), new Slow('b', log)];
    queue.enqueue(a);
    queue.enqueue(b);
    queue.release();
    queue.release();
    queue.enqueue(new Slow('c', log));
    expect(log).toEqual(['a']);
    await nextTick();
    expect(log).toEqual(['a', 'c RWSPLIT_CONNECTION_RELEASED']);
    a.end();
    b.end();
    expect(log).toEqual(['a', 'c RWSPLIT_CONNECTION_RELEASED', 'b']);
  });

  it('are all refused when the connection is destroyed', async () => {
    const log: string[] = [];
    const queue = new TaskQueue(contextOf(), null, null);
    for (const name of ['a', 'b']) {
      queue.enqueue(new Slow(name, log));
    }
    expect(queue.isDestroyed).toBe(false);
    queue.destroy();
    queue.destroy();
    queue.enqueue(new Slow('c', log));
    await nextTick();
    expect(queue.isDestroyed).toBe(true);
    expect(log).toEqual([
      'a',
      'a RWSPLIT_CONNECTION_DESTROYED',
      'b RWSPLIT_CONNECTION_DESTROYED',
      'c RWSPLIT_CONNECTION_DESTROYED',
    ]);
  });

  it('are refused when the pool is closed', async () => {
    const log: string[] = [];
    new TaskQueue(contextOf({ isClosed: true }), null, null).enqueue(new Slow('a', log));
    await nextTick();
    expect(log).toEqual(['a RWSPLIT_POOL_CLOSED']);
  });

  it('start with a session that has done nothing, and leave none behind', () => {
    const queue = new TaskQueue(contextOf(), null, null);
    queue.session.state = session({ hasWritten: true, transaction: 'open' });
    queue.reset();
    expect(queue.session.state).toEqual(session({}));
  });
});

/** A context with a session in it, and users of both. */
class Scope {
  readonly context: SessionContext;
  readonly client: ClientSession = openSession();

  constructor(rest: Partial<SessionContext> = {}) {
    this.context = contextOf(rest);
  }

  user(): User {
    return new User(new TaskQueue(this.context, this.client, null));
  }
}

/** Who has acquired a connection in a session. */
class User {
  readonly queue: TaskQueue;
  /** What the last task was told; `undefined` while it waits. */
  told: string | null | undefined;

  constructor(queue: TaskQueue) {
    this.queue = queue;
  }

  settle(pin: StatePin | null = null, asks: readonly Answer[] = []): this {
    this.told = undefined;
    this.queue.settle(pin, asks, (error) => {
      this.told = error === null ? null : ((error as { code?: string }).code ?? error.message);
    });
    return this;
  }
}

describe('a task in a session that others use', () => {
  it('has it if nobody else does', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    const shared = first.queue.session;
    shared.state = session({ hasWritten: true, answers: ['insert-id'] });
    expect(first.told).toBeNull();
    first.queue.release();
    const second = scope.user().settle();
    expect(second.queue.session).toBe(shared);
    // What was written, its reads find wherever they run.
    expect(shared.state).toEqual(session({ answers: ['insert-id'] }));
  });

  it('runs beside it if it needs nothing of it, and is bound to nothing that it wrote', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    first.queue.session.state = written;
    const second = scope.user().settle();
    expect(second.told).toBeNull();
    expect(second.queue.session).not.toBe(first.queue.session);
    expect(second.queue.session.state).toEqual(session({}));
  });

  it('leaves nothing to ask about, and binds nobody, by what it wrote beside', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    first.queue.session.state = session({ answers: ['row-count', 'insert-id'] });
    const second = scope.user().settle();
    first.queue.release();
    second.queue.session.state = written;
    second.queue.release();
    expect(scope.user().settle().queue.session.state).toEqual(session({}));
  });

  it('waits for its turn because of the state that it leaves behind', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    const shared = first.queue.session;
    const second = scope.user().settle('user-variable');
    expect(second.told).toBeUndefined();
    first.queue.release();
    expect(second.told).toBeNull();
    expect(second.queue.session).toBe(shared);
  });

  it('waits for its turn if the session held something before the other turn', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    first.queue.session.state = holding(hold('role'));
    first.queue.release();
    const second = scope.user().settle();
    const third = scope.user().settle();
    expect(third.told).toBeUndefined();
    second.queue.release();
    expect(third.told).toBeNull();
    expect(third.queue.session.state).toEqual(holding(hold('role')));
  });

  it('is refused if it asks about what runs at the same time', () => {
    const scope = new Scope();
    scope.user().settle();
    const second = scope.user().settle(null, ['row-count']);
    expect(second.told).toBe('RWSPLIT_FOLLOW_UP_LOST');
  });

  it('finds nothing to ask about while something runs beside the session', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    scope.user().settle();
    first.queue.session.state = session({ transaction: 'open', answers: ['row-count'] });
    first.queue.release();
    expect(scope.user().settle().queue.session.state).toEqual(open);
  });

  it('gives up after acquireTimeout', async () => {
    const scope = new Scope({ acquireTimeout: 1 });
    scope.user().settle();
    const second = scope.user().settle('user-lock');
    await expect.poll(() => second.told).toBe('RWSPLIT_ACQUIRE_TIMEOUT');
  });

  it('passes its turn on if it was destroyed while it waited', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    const second = scope.user().settle('user-lock');
    const third = scope.user().settle('user-lock');
    second.queue.destroy();
    first.queue.release();
    expect([second.told, third.told]).toEqual(['RWSPLIT_CONNECTION_DESTROYED', null]);
  });

  it('stays beside with what it holds there, and asks there', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    const second = scope.user().settle();
    second.queue.session.state = open;
    first.queue.release();
    const aside = second.queue.session;
    expect(second.settle().queue.session).toBe(aside);
    second.queue.session.state = session({ answers: ['row-count'] });
    expect(second.settle(null, ['row-count']).queue.session).toBe(aside);
  });

  it.each<[string, SessionState, Role, StatePin | null, boolean]>([
    ['what it has written on the primary', written, 'primary', null, true],
    ['nothing, on the primary', session({}), 'primary', null, false],
    ['nothing to stay with on a replica', written, 'replica', null, false],
    ['state to leave, which all of the session must find', written, 'primary', 'role', false],
  ])('stays beside, or not, with %s', (_what, state, role, pin, isAside) => {
    const scope = new Scope();
    const first = scope.user().settle();
    const second = scope.user().settle();
    const aside = second.queue.session;
    const { host, lease } = leaseOn(role);
    aside.hold(lease);
    aside.state = state;
    first.queue.release();
    expect(second.settle(pin).queue.session === aside).toBe(isAside);
    // It has one connection at a time.
    expect(host.log).toEqual(isAside ? [] : ['ended', 'released']);
  });

  it('comes back from beside when the session is free', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    const shared = first.queue.session;
    const second = scope.user().settle();
    first.queue.release();
    expect(second.settle().queue.session).toBe(shared);
  });

  it('keeps the session until it is released', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    const shared = first.queue.session;
    expect(first.settle('user-lock').queue.session).toBe(shared);
    expect(first.settle(null, ['row-count']).told).toBeNull();
  });

  it('leaves no transaction to the next one if it had the connection to itself', () => {
    const stateAfter = (isReserved: boolean) => {
      const scope = new Scope();
      const user = scope.user();
      user.queue.isReserved = isReserved;
      user.settle().queue.session.state = open;
      user.queue.release();
      return scope.user().settle().queue.session.state;
    };
    expect([stateAfter(true), stateAfter(false)]).toEqual([session({}), open]);
  });

  it('is in none when the session has ended', () => {
    const scope = new Scope();
    scope.client.end();
    const [first, second] = [scope.user().settle(), scope.user().settle('user-lock')];
    expect([first.told, second.told]).toEqual([null, null]);
    expect(first.queue.session).not.toBe(second.queue.session);
  });

  it('forgets all with a reset, and gives back all that it has', () => {
    const scope = new Scope();
    const first = scope.user().settle();
    const { session: shared } = first.queue;
    const { host, lease } = leaseOn('primary');
    shared.hold(lease);
    shared.state = session({ hasWritten: true, answers: ['insert-id'] });
    shared.moveTo('replica');
    first.queue.reset();
    expect(shared.state).toEqual(session({}));
    expect(host.log).toEqual(['remembered', 'recalled', 'ended', 'released']);
  });
});

describe('what later reads have to see', () => {
  it('is one for all users of a session on the same servers', () => {
    const scope = new Scope();
    const { servers } = scope.context.causality;
    const [first, second] = [scope.user(), scope.user()];
    expect(first.queue.marks).toBe(scope.client.marks(servers, ''));
    first.settle();
    // Beside it, too.
    second.settle();
    expect(second.queue.marks).toBe(first.queue.marks);
    const other = new User(new TaskQueue(contextOf(), scope.client, null));
    expect(other.queue.marks).not.toBe(first.queue.marks);
    const causality = causalityOf([], servers);
    const samePlace = new User(new TaskQueue(contextOf({ causality }), scope.client, null));
    expect(samePlace.queue.marks).toBe(first.queue.marks);
  });

  it('has the name of the servers', () => {
    const causality = causalityOf([], serversOf('task-queue-test', 'db'));
    const scope = new Scope({ causality });
    expect(scope.user().queue.marks?.cluster).toBe('task-queue-test');
  });

  it('is kept by no session outside of any, and in one that has ended', () => {
    const scope = new Scope();
    expect(new TaskQueue(scope.context, null, null).marks).toBeNull();
    const user = scope.user();
    scope.client.end();
    expect(scope.user().queue.marks).toBeNull();
    // It was called in the session: what it writes now, a token may still tell.
    expect(user.queue.marks).not.toBeNull();
  });

  it('is that of a session that is given by hand', () => {
    const scope = new Scope();
    const queue = new TaskQueue(scope.context, null, null);
    queue.use(scope.client);
    expect(queue.marks).toBe(scope.user().queue.marks);
  });

  it.each([
    ['a session', true],
    ['none', false],
  ])('is asked for when a connection is released that tells of nothing, in %s', (_in, isIn) => {
    const noted: unknown[] = [];
    const scope = new Scope({ causality: causalityOf(noted) });
    const user = isIn ? scope.user() : new User(new TaskQueue(scope.context, null, null));
    const { marks } = user.queue;
    user.settle();
    user.queue.session.isUntracked = true;
    expect(noted).toEqual([]);
    user.queue.release();
    expect(noted).toEqual([marks]);
    const tracked = scope.user().settle();
    tracked.queue.session.isUntracked = false;
    tracked.queue.release();
    expect(noted).toHaveLength(1);
  });
});

describe('a session that is given by hand', () => {
  it('counts before the first task', () => {
    const scope = new Scope();
    const shared = scope.user().settle().queue;
    shared.session.state = holding(hold('role'));
    shared.release();
    const user = new User(new TaskQueue(scope.context, null, null));
    user.queue.use(scope.client);
    expect(user.settle().queue.session.state).toEqual(holding(hold('role')));
  });

  it('counts no more once it has state of its own', () => {
    const scope = new Scope();
    const user = new User(new TaskQueue(scope.context, null, null));
    user.queue.session.state = open;
    const own = user.queue.session;
    user.queue.use(scope.client);
    expect(user.settle().queue.session).toBe(own);
  });

  it('counts no more while a task runs', () => {
    const scope = new Scope();
    const user = new User(new TaskQueue(scope.context, null, null));
    user.queue.enqueue(new Slow('a', []));
    const own = user.queue.session;
    user.queue.use(scope.client);
    expect(user.settle().queue.session).toBe(own);
  });

  it('is not changed for another one that it has joined', () => {
    const [one, other] = [new Scope(), openSession()];
    const user = one.user().settle();
    const joined = user.queue.session;
    user.queue.use(other);
    expect(user.settle().queue.session).toBe(joined);
  });
});
