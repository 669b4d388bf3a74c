import type { Consistency } from '../consistency/levels.ts';

/** What the code around a statement wishes for it: see `primary()`, `replicas()`, `withoutTracking()`. */
export interface Wishes {
  readonly forcePrimary: boolean;
  /** `null`: what the session, or the pool, says. */
  readonly consistency: Consistency | null;
  /** The group of replicas that reads run in; `null`: nobody has said. */
  readonly group: string | null;
  /** How far a replica may lag behind, in milliseconds; `null`: what the session, or the pool, says. */
  readonly maxLag: number | null;
  /** Whether later reads have to see what is written here. */
  readonly isTracked: boolean;
}

/** Of code that nobody has said anything about. */
export const noWishes: Wishes = {
  forcePrimary: false,
  consistency: null,
  group: null,
  maxLag: null,
  isTracked: true,
};

/** The wishes in what a caller is in, whichever copy of the package has put them there. */
export function wishesOf(store: unknown): Wishes {
  return typeof store === 'object' && store !== null && 'wishes' in store
    ? (store.wishes as Wishes)
    : noWishes;
}
