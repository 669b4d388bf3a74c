import { AsyncLocalStorage } from 'node:async_hooks';

/** Shared by all copies of the package in a process: an adapter may have another one than its user. */
const key = Symbol.for('rwsplit.storage.1');

interface Shared {
  [key]?: AsyncLocalStorage<unknown>;
}

/** What callers are in; `undefined` before anybody needs to know: it costs every promise something. */
export function findStorage(): AsyncLocalStorage<unknown> | undefined {
  return (globalThis as Shared)[key];
}

export function storage(): AsyncLocalStorage<unknown> {
  const shared = globalThis as Shared;
  shared[key] ??= new AsyncLocalStorage();
  return shared[key];
}

/** Calls a function as it would be called here and now. */
export type CallHere = <Arguments extends readonly unknown[]>(
  fn: (...args: Arguments) => void,
  ...args: Arguments
) => void;

/**
 * For callbacks: mysql2 calls back in whatever another caller was in, and what the callback runs
 * would count as that one's.
 */
export function callsFromHere(): CallHere {
  const shared = findStorage();
  if (shared === undefined) {
    return callDirectly;
  }
  const store = shared.getStore();
  return (fn, ...args) => shared.run(store, () => fn(...args));
}

function callDirectly<Arguments extends readonly unknown[]>(
  fn: (...args: Arguments) => void,
  ...args: Arguments
): void {
  fn(...args);
}
