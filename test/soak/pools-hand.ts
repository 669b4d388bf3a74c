import type { ReplicatedPool } from '@rwsplit/core';
import type { Random } from '../proofs/random.ts';
import type { Faults, Hand, Rest, Turnstile } from './hand.ts';
import type { Ledger } from './ledger.ts';
import type { Stage } from './stage.ts';
import { codeOf, type Tally } from './tally.ts';
import type { Trouble } from './trouble.ts';

/** What the hand that changes pools needs of the others. */
export interface PoolsHandOptions {
  readonly random: Random;
  readonly trouble: Trouble;
  readonly turnstile: Turnstile;
  readonly ledger: Ledger;
  readonly tally: Tally;
}

/** Takes replicas out of the lasting pools and back, sets weights, opens and ends other pools. */
export function poolsHand(stage: Stage, options: PoolsHandOptions): Hand {
  const { random, trouble, turnstile, tally } = options;
  const faults: Faults = {
    // Not while roles are switched: a pool without the new primary would have none.
    'replica removed': (rest) =>
      turnstile.pass(async () => {
        const { pool, hostOf } = random.pick(stage.lasting);
        const server = random.pick(stage.cluster.all);
        const drain = random.pick([true, false, 0, 100]);
        const isReplica = pool
          .stats()
          .hosts.some(({ name, role }) => name === server.name && role === 'replica');
        if (!isReplica) return;
        await trouble.during(server === stage.cluster.primary ? 'all' : 'nobody', async () => {
          await pool.removeReplica(server.name, { drain }).then(
            () => tally.done('removeReplica'),
            (error: unknown) => tally.failed('removeReplica', error),
          );
          await rest(random.below(1500));
          pool.addReplica(hostOf(server));
        });
      }),
    'weight set': async (rest) => {
      const { pool } = random.pick(stage.lasting);
      for (const { name, role } of pool.stats().hosts) {
        if (role === 'replica') pool.setWeight(name, random.pick([0, 0.1, 1, 5]));
      }
      await rest(random.below(1000));
    },
    'pool opened and ended': (rest) => useBriefly(stage, options, rest),
  };
  const often = 'pool opened and ended';
  return { faults, plan: [...Object.keys(faults), often, often], random, quiet: 500 };
}

/** By options of its own, such a pool may refuse reads; at its end, it breaks off what runs. */
async function useBriefly(
  stage: Stage,
  { random, ledger, tally }: PoolsHandOptions,
  rest: Rest,
): Promise<void> {
  const pool = stage.brief(random);
  const work = Array.from({ length: 4 }, async () => {
    for (let left = random.below(10); left > 0; left--) {
      await (random.chance(0.5) ? writeIn(pool, ledger, tally) : readIn(pool, tally));
    }
  });
  await rest(random.below(1000));
  if (random.chance(0.5)) await Promise.all(work);
  await pool
    .promise()
    .end()
    .then(
      () => tally.done('end'),
      (error: unknown) => {
        const reasons =
          error instanceof AggregateError ? error.errors.map(codeOf) : [codeOf(error)];
        tally.failed('end', reasons.join(' '));
      },
    );
  await Promise.all(work);
}

async function writeIn(pool: ReplicatedPool, ledger: Ledger, tally: Tally): Promise<void> {
  const id = ledger.next();
  try {
    await pool.promise().query('INSERT INTO entry (id) VALUES (?)', [id]);
    ledger.note([id], 'acknowledged');
    tally.done('brief write');
  } catch (error) {
    ledger.note([id], codeOf(error) === 'RWSPLIT_UNKNOWN_OUTCOME' ? 'unknown' : 'refused');
    tally.failed('brief write', error);
  }
}

async function readIn(pool: ReplicatedPool, tally: Tally): Promise<void> {
  try {
    await pool.promise().query('SELECT COUNT(*) AS n FROM entry WHERE id = 1');
    tally.done('brief read');
  } catch (error) {
    tally.failed('brief read', error);
  }
}
