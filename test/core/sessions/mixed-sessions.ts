import { isRwSplitError } from '@rwsplit/core';
import type { Random } from '../../proofs/random.ts';
import type { Kind } from './bare-sessions.ts';
import { Thrown } from './steps.ts';

/** What came of the sessions of one kind. */
export interface Tally {
  succeeded: number;
  /** How often each error ended one, by its code. */
  readonly errors: Map<string, number>;
}

/** What came of all sessions. */
export interface Outcome {
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Errors that no session may end with. */
  readonly unexpected: string[];
}

/** Errors that sessions provoke, or that killed connections and full pools bring about. */
const expectedCodes = new Set([
  'THROWN',
  'PROTOCOL_CONNECTION_LOST',
  // A server that gave no sign of life for a while.
  'ETIMEDOUT',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ECONNRESET',
  'EPIPE',
  'RWSPLIT_ACQUIRE_TIMEOUT',
  'RWSPLIT_PRIMARY_DOWN',
  'RWSPLIT_UNKNOWN_OUTCOME',
  'RWSPLIT_CONNECTION_RELEASED',
  'RWSPLIT_CONNECTION_DESTROYED',
  'RWSPLIT_CANCELLED',
  'RWSPLIT_SESSION_LOST',
  'RWSPLIT_FOLLOW_UP_LOST',
  // A connection that was killed during its set-up.
  'RWSPLIT_HOST_SETUP',
  'KnexTimeoutError',
  'closed state',
  'bind parameters',
  // Knex goes on after a BEGIN that has failed, with a transaction that refuses everything.
  'completed',
]);

/** Runs sessions of all kinds, some at a time, until there were so many. */
export async function runSessions(
  kinds: Readonly<Record<string, Kind>>,
  random: Random,
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
): Promise<Outcome> {
  const tallies = new Map<string, Tally>();
  const unexpected: string[] = [];
  const open = new Map<number, string>();
  const all = Object.entries(kinds);
  let started = 0;

  const runOne = async (number: number) => {
    const [name, kind] = random.pick(all);
    const tally = tallies.get(name) ?? { succeeded: 0, errors: new Map() };
    tallies.set(name, tally);
    open.set(number, name);
    try {
      await kind();
      tally.succeeded += 1;
    } catch (error) {
      const code = codeOf(error);
      tally.errors.set(code, (tally.errors.get(code) ?? 0) + 1);
      if (!isExpected(code)) {
        unexpected.push(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
    open.delete(number);
  };
  const worker = async () => {
    while (started < count) {
      await runOne(started++);
    }
  };
  const workers = Promise.all(Array.from({ length: atOnce }, worker));
  await orTellWhatHangs(workers, () => [...open.values()]);
  return { tallies, unexpected };
}

/** No session may wait for ever: none here waits for longer than a few seconds. */
async function orTellWhatHangs(work: Promise<unknown>, open: () => readonly string[]) {
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    let before: readonly string[] = [];
    timer = setInterval(() => {
      const now = open();
      if (now.length > 0 && now.join() === before.join()) {
        reject(new Error(`sessions that do not end: ${now.join(', ')}`));
      }
      before = now;
    }, 20_000);
  });
  try {
    await Promise.race([work, hangs]);
  } finally {
    clearInterval(timer);
  }
}

/** A name for an error: its code, or what else tells it from others. */
function codeOf(error: unknown): string {
  if (error instanceof Thrown || isRwSplitError(error)) {
    return error.code;
  }
  if (!(error instanceof Error)) {
    return typeof error;
  }
  if (error.name === 'KnexTimeoutError') {
    return error.name;
  }
  if (error.message.includes('closed state')) {
    return 'closed state';
  }
  if (error.message.startsWith('Bind parameters must not contain undefined')) {
    return 'bind parameters';
  }
  if (error.message.startsWith('Transaction query already complete')) {
    return 'completed';
  }
  if ('errno' in error && Number(error.errno) >= 1_000) {
    return `server ${error.errno}`;
  }
  return 'code' in error ? String(error.code) : error.name;
}

function isExpected(code: string): boolean {
  return code.startsWith('server ') || expectedCodes.has(code);
}
