import type { Consistency } from '../consistency/levels.ts';
import { type OnBadToken, ScopeMarks } from '../consistency/marks.ts';
import { formatParts, mergedParts, readToken } from '../consistency/tokens.ts';
import type { TokenPart } from '../gtid/token.ts';
import { findStorage, storage } from './storage.ts';
import { noWishes, type Wishes, wishesOf } from './wishes.ts';

/** Options of a session. */
export interface SessionOptions {
  /**
   * The token of an earlier session, of this process or another: reads see what that one has written.
   * `null` is none, as `token()` of a session gives it that has written nothing.
   *
   * @default none
   */
  readonly after?: string | null | undefined;
  /**
   * What reads of this session must see. Default: what the pool says, else `'session'`.
   */
  readonly consistency?: Consistency | undefined;
  /**
   * How far a replica may lag behind for reads of this session, in milliseconds. Default: what the pool says.
   */
  readonly maxLag?: number | undefined;
  /**
   * What to do with a token that is none, or that names writes which the primary does not know: refuse
   * it with `RWSPLIT_TOKEN` when it is given, or when a read needs it; or go on without it.
   *
   * @default 'error'
   */
  readonly onBadToken?: OnBadToken | undefined;
}

/** What a session has in one pool. */
interface Part {
  end(): void;
}

/** A token that was given to a session. */
interface Followed {
  readonly parts: readonly TokenPart[];
  readonly onBadToken: OnBadToken;
}

/**
 * One logical client: its statements see what one connection to MySQL would show them, although they
 * travel over many. Made by {@link openSession}.
 */
export class ClientSession {
  /** What reads must see; `null`: what the pool says. */
  readonly consistency: Consistency | null;
  /** How far replicas may lag behind, in milliseconds; `null`: what the pool says. */
  readonly maxLag: number | null;
  readonly #parts = new Map<object, Part>();
  /** By the servers that they are about; they outlive the session. */
  readonly #marks = new Map<object, ScopeMarks>();
  readonly #followed: Followed[] = [];
  #isEnded = false;

  constructor(options: SessionOptions = {}) {
    this.consistency = options.consistency ?? null;
    this.maxLag = options.maxLag ?? null;
    this.follow(options);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Runs a function, and all that it calls and awaits, in this session. */
  run<Result>(fn: () => Result): Result {
    return storage().run(scopeOf(this), fn);
  }

  /**
   * What the session has written so far, for {@link SessionOptions.after} of another one: at most 1000
   * characters that need no quoting in a cookie, a header or a URL. `null` if it has written nothing, and
   * followed no token. It names writes; it lets nobody read or write anything.
   *
   * @throws `RWSPLIT_TOKEN` if it has written to several primaries whose pools have the same
   *   `cluster` name.
   */
  token(): string | null {
    const unread = this.#followed.flatMap(({ parts }) => parts);
    return formatParts([...this.#marks.values()], unread, Date.now());
  }

  /** Gives its connections back, each when its statement is done. What comes later is in no session. */
  end(): void {
    this.#isEnded = true;
    for (const part of this.#parts.values()) {
      part.end();
    }
    this.#parts.clear();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  /** What the session has in one pool. For pools. */
  part<Kind extends Part>(pool: object, make: () => Kind): Kind {
    const known = this.#parts.get(pool);
    if (known !== undefined) {
      return known as Kind;
    }
    const made = make();
    this.#parts.set(pool, made);
    return made;
  }

  /** What the session has written and seen on some servers. For pools. */
  marks(servers: object, cluster: string): ScopeMarks {
    const known = this.#marks.get(servers);
    if (known !== undefined) {
      return known;
    }
    const made = new ScopeMarks(cluster);
    for (const followed of this.#followed) {
      follow(made, followed);
    }
    this.#marks.set(servers, made);
    return made;
  }

  /** @internal Takes over what a token says. */
  follow({ after, onBadToken = 'error' }: SessionOptions): void {
    const parts = readToken(after ?? undefined, onBadToken);
    if (parts.length > 0) {
      const followed = { parts, onBadToken };
      this.#remember(followed);
      for (const marks of this.#marks.values()) {
        follow(marks, followed);
      }
    }
  }

  /** Each is judged by itself. Of very many, the oldest are taken for one. */
  #remember(followed: Followed): void {
    this.#followed.push(followed);
    const [first, second] = this.#followed;
    if (this.#followed.length > mostFollowed && first !== undefined && second !== undefined) {
      const parts = mergedParts([...first.parts, ...second.parts]);
      this.#followed.splice(0, 2, { parts, onBadToken: second.onBadToken });
    }
  }
}

/** So many tokens of one session are kept apart. */
const mostFollowed = 100;

function follow(marks: ScopeMarks, { parts, onBadToken }: Followed): void {
  const part = parts.find(({ cluster }) => cluster === marks.cluster);
  if (part !== undefined) {
    marks.follow(part, onBadToken, Date.now());
  }
}

/** What a caller is in: a session, wishes, or both. */
interface Scope {
  readonly session: ClientSession | null;
  readonly wishes: Wishes;
}

/** Whether a value is a session, also of another copy of the package. */
export function isClientSession(value: unknown): value is ClientSession {
  return (
    typeof value === 'object' &&
    value !== null &&
    'part' in value &&
    typeof value.part === 'function'
  );
}

function sessionIn(store: unknown): ClientSession | null {
  const session =
    typeof store === 'object' && store !== null && 'session' in store ? store.session : null;
  return isClientSession(session) ? session : null;
}

/**
 * The session that the caller is in; `null` if it is in none, or in one that has ended.
 *
 * ```ts
 * import { currentSession } from '@rwsplit/core';
 *
 * const headers = new Headers();
 * const token = currentSession()?.token();
 * if (token) headers.set('x-rwsplit-token', token);
 * ```
 */
export function currentSession(): ClientSession | null {
  const session = sessionIn(findStorage()?.getStore());
  return session?.isEnded === false ? session : null;
}

/** The wishes that the caller is in; those of a session end with it. */
export function wishesHere(): Wishes {
  const store = findStorage()?.getStore();
  return sessionIn(store)?.isEnded ? noWishes : wishesOf(store);
}

/** What runs in a session: with the wishes of where it was entered, and its own. */
function scopeOf(session: ClientSession): Scope {
  const { consistency, maxLag } = session;
  const wishes = wishesHere();
  if (consistency === null && maxLag === null) {
    return { session, wishes };
  }
  return {
    session,
    wishes: {
      ...wishes,
      consistency: consistency ?? wishes.consistency,
      maxLag: maxLag ?? wishes.maxLag,
    },
  };
}

/** Puts the caller, and all that it calls and sets going, into a session, until that ends. */
export function enterSession(session: ClientSession): void {
  storage().enterWith(scopeOf(session));
}

/** Runs a function with further wishes, in the session that the caller is in. */
export async function wishing<Result>(
  wishes: Partial<Wishes>,
  fn: () => Result | PromiseLike<Result>,
): Promise<Result> {
  const scope: Scope = { session: currentSession(), wishes: { ...wishesHere(), ...wishes } };
  // What is awaited in there starts in there: a query builder runs when it is awaited.
  return await storage().run(scope, async () => await fn());
}
