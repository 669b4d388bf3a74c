import { type ClientSession, openSession, withSession } from '@rwsplit/core';

/** What a scope of the run asks for. */
export interface ScopeOptions {
  /** A token of what the scope has to see. */
  readonly after?: string | null | undefined;
  readonly level?: 'process' | 'eventual' | undefined;
  /** Entered by hand, with `openSession()` and `run()`. */
  readonly isHandle?: boolean;
}

/** Levels that keep what a session promises: its own, and one that promises more. */
export const keptIn = [undefined, undefined, 'process'] as const;

/** Runs work as one logical client. */
export async function inScope(
  { after, level, isHandle = false }: ScopeOptions,
  work: (session: ClientSession) => Promise<void>,
): Promise<void> {
  const options = {
    after: after ?? undefined,
    consistency: level,
  };
  if (!isHandle) return withSession(options, work);
  using session = openSession(options);
  await session.run(() => work(session));
}
