import { Random } from '../proofs/random.ts';
import { type Belongings, Client, type Place, someMood } from './client.ts';
import { type Clock, History, type Value } from './history.ts';
import { inScope, keptIn } from './scope.ts';

/** One scope of a client that goes from process to process: plain data. */
export interface Turn {
  readonly belongings: Belongings;
  readonly seed: number;
  readonly actions: number;
  /** The token of its scope before, in the other process. */
  readonly token: string | null;
  /** What was acknowledged before the token was made, in all scopes that it comes from. */
  readonly promised: readonly Value[];
}

/** What it takes to the other process. */
export type TurnResult = Pick<Turn, 'belongings' | 'token' | 'promised'>;

/** Runs one turn in this process, as if what the token promises had been written in its scope. */
export async function takeTurn(place: Place, clock: Clock, turn: Turn): Promise<TurnResult> {
  const random = new Random(turn.seed);
  const client = new Client(place, random, turn.belongings);
  client.feel(someMood(random, place.lanes));
  const history = new History(clock);
  for (const value of turn.promised) history.wrote(history.begin(), 'token', value);
  let token: string | null = null;
  const level = random.pick(keptIn);
  const options = { after: turn.token, level, isHandle: random.chance(0.3) };
  await inScope(options, async (scope) => {
    for (let left = turn.actions; left > 0; left--) await client.act(history);
    token = scope.token();
  });
  place.tally.judge(place.part, history.entries);
  const promised = history.written();
  if (token === null && promised.length > 0) place.tally.fail('no token');
  return { belongings: client.belongings, token, promised };
}
