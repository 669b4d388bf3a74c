import { Random } from '../proofs/random.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { Client, type Place, someMood } from './client.ts';
import { type Clock, History } from './history.ts';
import type { Lanes } from './lanes.ts';
import type { OtherProcess } from './other-process.ts';
import type { Part } from './registers.ts';
import { inScope, keptIn } from './scope.ts';
import type { Tally } from './tally.ts';
import { type TurnResult, takeTurn } from './turn.ts';

/** What all parts of a load share. */
export interface LoadOptions {
  readonly flavor: Flavor;
  readonly lanes: Readonly<Record<Part, Lanes>>;
  readonly other: OtherProcess;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly seed: number;
  /** Of each part. */
  readonly clients: number;
  /** Of all parts together. */
  readonly operations: number;
}

/** How the operations are shared out. */
const shares: Readonly<Record<Part, number>> = {
  session: 0.4,
  token: 0.2,
  process: 0.2,
  eventual: 0.2,
};

/** One client's work in a part until `isDone`. */
type Loop = (
  load: LoadOptions,
  place: Place,
  number: number,
  isDone: () => boolean,
) => Promise<void>;

/** Runs all clients of all parts until each part has had its share of operations. */
export async function runLoad(load: LoadOptions): Promise<void> {
  await Promise.all([
    runPart(load, 'session', inScopes),
    runPart(load, 'token', withTokens),
    runOutsideScopes(load),
    runPart(load, 'eventual', inScopes),
  ]);
}

async function runPart(load: LoadOptions, part: Part, loop: Loop): Promise<void> {
  const place = placeOf(load, part);
  const isDone = doneOf(load, part);
  const numbers = Array.from({ length: load.clients }, (_, number) => number);
  await Promise.all(numbers.map((number) => loop(load, place, number, isDone)));
}

function placeOf({ flavor, lanes, tally, clients }: LoadOptions, part: Part): Place {
  // Of one observer's many writes, each hides that another was forgotten.
  const writers = part === 'process' ? Math.min(2, clients) : clients;
  return { flavor, part, lanes: lanes[part], tally, writers };
}

function doneOf({ tally, operations }: LoadOptions, part: Part): () => boolean {
  const limit = operations * shares[part];
  return () => tally.totals.parts[part].operations >= limit;
}

/** Different for each client, and the same for the same seed. */
function randomOf({ seed }: LoadOptions, part: Part, number: number): Random {
  return new Random(seed * 1_000_003 + number * 101 + part.length);
}

/** One scope after the other, each an observer of its own. */
async function inScopes(
  load: LoadOptions,
  place: Place,
  number: number,
  isDone: () => boolean,
): Promise<void> {
  const { part, tally } = place;
  const random = randomOf(load, part, number);
  const client = new Client(place, random, { number, version: 0, existing: [] });
  while (!isDone()) {
    const history = new History(load.clock);
    client.feel(someMood(random, place.lanes));
    const level = part === 'eventual' ? part : random.pick(keptIn);
    await inScope({ level, isHandle: random.chance(0.3) }, async () => {
      for (let left = 3 + random.below(20); left > 0; left--) await client.act(history);
    });
    tally.judge(part, history.entries);
  }
}

/** A scope here, a scope there, each after the token of the one before. */
async function withTokens(
  load: LoadOptions,
  place: Place,
  number: number,
  isDone: () => boolean,
): Promise<void> {
  const random = randomOf(load, 'token', number);
  const limit = isDone;
  const start = { belongings: { number, version: 0, existing: [] }, token: null, promised: [] };
  let carried: TurnResult = start;
  for (let turns = 0; !limit(); turns++) {
    // Now and then a client begins anew: what is promised would only grow.
    if (random.chance(0.1)) carried = { ...start, belongings: carried.belongings };
    const turn = { ...carried, seed: random.below(2 ** 31), actions: 1 + random.below(8) };
    carried = await (turns % 2 === 0 ? takeTurn(place, load.clock, turn) : load.other.turn(turn));
  }
}

/** All clients of this process together are one observer: each sees what any of them has written. */
async function runOutsideScopes(load: LoadOptions): Promise<void> {
  const history = new History(load.clock);
  await runPart(load, 'process', async (_load, place, number, isDone) => {
    const random = randomOf(load, 'process', number);
    const client = new Client(place, random, { number, version: 0, existing: [] });
    const writes = number < place.writers ? 'often' : 'never';
    while (!isDone()) {
      client.feel({ lanes: someMood(random, place.lanes).lanes, writes });
      const chosen = random.below(10);
      // A session promises its own writes, unless more is asked of it.
      if (chosen === 0 && writes === 'often') await inScope({}, () => client.write(history));
      else if (chosen === 1) await inScope({ level: 'process' }, () => client.act(history));
      else await client.act(history);
    }
  });
  load.tally.judge('process', history.entries);
}
