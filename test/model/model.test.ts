import * as core from '@rwsplit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../support/servers/flavor.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { check } from './check.ts';
import { kinds } from './plan.ts';
import { Stage } from './stage.ts';
import type { FollowUps, Tally } from './tally.ts';

const seed = Number(process.env['FC_SEED'] ?? 20_261_121);
const stages = new Map<Flavor, Stage>();

beforeAll(async () => {
  for (const flavor of flavors) stages.set(flavor, await Stage.open(sharedCluster(flavor)));
});
afterAll(async () => {
  await Promise.all([...stages.values()].map((stage) => stage[Symbol.asyncDispose]()));
});

function stageOf(flavor: Flavor): Stage {
  const stage = stages.get(flavor);
  if (stage === undefined) throw new Error(`no ${flavor}`);
  return stage;
}

describe.concurrent('sessions over pools of 1 to 4 connections per host', () => {
  it.each(flavors)(
    'give what one plain connection gives, or say that an answer is lost, on %s',
    async (flavor) => {
      const tally = await check({ stage: stageOf(flavor), core, kinds, seed, statements: 5500 });
      console.log(`model, ${flavor}, seed ${seed}: ${tally}`);
      // Not vacuous: what was tried, and what was answered.
      expect(tally.statements).toBeGreaterThanOrEqual(5000);
      expect(tally.replicaReads).toBeGreaterThan(100);
      expect(tally.readsAfterWrites).toBeGreaterThan(100);
      const { answered, lost } = tally.insertsFromReplica;
      expect(answered).toBeGreaterThan(2 * lost);
      expect(tally.errors).toBeLessThan(tally.statements / 3);
      expect(shareOfAnswered(tally, 'connection')).toBeGreaterThan(0.8);
      expect(shareOfAnswered(tally, 'scope')).toBeGreaterThan(0.7);
    },
    300_000,
  );
});

/** Of what could be answered, on pools with room for all. */
function shareOfAnswered(tally: Tally, family: 'connection' | 'scope'): number {
  const members = family === 'connection' ? ['connection'] : ['handle', 'scope'];
  const found = [...tally.followUps.roomy].filter(([kind]) => {
    const name = kind.slice(kind.indexOf('-') + 1);
    return members.includes(name);
  });
  const sum = (of: keyof FollowUps) => found.reduce((total, [, counts]) => total + counts[of], 0);
  return sum('answered') / (sum('answered') + sum('lost'));
}
