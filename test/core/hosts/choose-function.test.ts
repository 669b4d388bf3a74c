import { describe, expect, it } from 'vitest';
import { type BalancingFunction, chosenBy } from '../../../packages/core/src/hosts/choose.ts';
import type { HostSnapshot } from '../../../packages/core/src/hosts/snapshot.ts';

const [one, two] = ['db-1', 'db-2'].map(
  (name, index): HostSnapshot =>
    Object.freeze({
      name,
      role: 'replica',
      outstanding: index,
      lag: null,
      weight: 1,
      zone: null,
      groups: ['default'],
      state: 'up',
    }),
) as [HostSnapshot, HostSnapshot];
const hosts = Object.freeze([one, two]);

/** What the types refuse, but JavaScript can answer. */
function answering(answer: unknown): BalancingFunction {
  return () => answer as string;
}

describe('chosenBy', () => {
  it.each<[string, BalancingFunction]>([
    ['one of the hosts', ([, second]) => second ?? ''],
    ['its name', () => 'db-2'],
    ['a copy of it', ([, second]) => ({ ...(second ?? one) })],
    ['a snapshot from another time', () => ({ ...two, outstanding: 99 })],
  ])('takes %s', (_answer, choice) => {
    expect(chosenBy(choice, hosts)).toEqual({ kind: 'host', host: two });
    const chosen = chosenBy(choice, hosts);
    // The one that core knows, not what the function made of it.
    expect(chosen.kind === 'host' && chosen.host).toBe(two);
  });

  it('shows the hosts as they are', () => {
    const seen: unknown[] = [];
    chosenBy((given) => {
      seen.push(given);
      return 'db-1';
    }, hosts);
    expect(seen).toEqual([hosts]);
  });

  it.each<[string, unknown]>([
    ['the name of nobody', 'db-3'],
    ['a host that is not offered', { ...one, name: 'db-3' }],
    ['nothing', undefined],
    ['null', null],
    ['an index', 1],
    ['something without a name', {}],
    ['several', [one]],
  ])('tells of %s', (_reason, answer) => {
    expect(chosenBy(answering(answer), hosts)).toEqual({ kind: 'nobody', answer });
  });

  it('tells of an exception', () => {
    const error = new Error('no idea');
    const choice = () => {
      throw error;
    };
    expect(chosenBy(choice, hosts)).toEqual({ kind: 'threw', error });
    const getter = Object.defineProperty({}, 'name', { get: choice });
    expect(chosenBy(answering(getter), hosts)).toEqual({ kind: 'threw', error });
  });

  it('does not wait for a promise, nor let its failure end the process', async () => {
    const answer = Promise.reject(new Error('too late'));
    // Vitest fails a run with an unhandled rejection, too.
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    expect(chosenBy(answering(answer), hosts)).toEqual({ kind: 'nobody', answer });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });
});
