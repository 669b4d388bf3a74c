import { describe, expect, it } from 'vitest';
import { choose } from '../../../packages/core/src/hosts/choose.ts';
import { failed, healthy, isAvailable, probing } from '../../../packages/core/src/hosts/health.ts';

describe('choose', () => {
  const idle = { outstanding: 0, lastChosen: 0, isEligible: true };
  it.each([
    ['nobody', [], 'leastOutstanding', -1],
    ['nobody eligible', [{ ...idle, isEligible: false }], 'leastOutstanding', -1],
    [
      'the least busy',
      [
        { ...idle, outstanding: 3 },
        { ...idle, outstanding: 1 },
      ],
      'leastOutstanding',
      1,
    ],
    [
      'of equals, the one that waited longest',
      [
        { ...idle, lastChosen: 5 },
        { ...idle, lastChosen: 2 },
      ],
      'leastOutstanding',
      1,
    ],
    [
      'in turn, however busy',
      [
        { ...idle, lastChosen: 5 },
        { ...idle, outstanding: 9, lastChosen: 2 },
      ],
      'roundRobin',
      1,
    ],
    [
      'never one that is not eligible',
      [
        { ...idle, outstanding: 9 },
        { ...idle, isEligible: false },
      ],
      'leastOutstanding',
      0,
    ],
  ] as const)('%s', (_name, candidates, balancing, index) => {
    expect(choose(candidates, balancing)).toBe(index);
  });
});

describe('health', () => {
  it('goes down with a failure and is tried again after a wait that doubles', () => {
    const once = failed(healthy, 'ECONNREFUSED', 1_000, 0);
    expect(once).toMatchObject({ failures: 1, retryAt: 1_250, lastFailure: 'ECONNREFUSED' });
    expect(isAvailable(once, 1_249)).toBe(false);
    expect(isAvailable(once, 1_250)).toBe(true);
    const twice = failed(probing(once, 1_250), 'ECONNREFUSED', 1_260, 0);
    expect(twice).toMatchObject({ failures: 2, retryAt: 1_760 });
  });

  it('waits at most 30 s, and is never gone for good', () => {
    let health = healthy;
    for (let failures = 0; failures < 100; failures++) {
      health = failed(probing(health, health.retryAt), 'x', health.retryAt, 0);
    }
    const last = health.retryAt;
    expect(failed(probing(health, last), 'x', last, 0).retryAt - last).toBe(30_000);
  });

  it('shortens the wait by up to a half, so that a fleet does not come back at once', () => {
    expect(failed(healthy, 'x', 0, 0.999).retryAt).toBeCloseTo(125, 0);
  });

  it('counts failures that came together once', () => {
    const once = failed(healthy, 'a', 0, 0);
    expect(failed(once, 'b', 1, 0)).toMatchObject({ failures: 1, retryAt: once.retryAt });
  });

  it('lets one statement at a time try a host that is down', () => {
    const down = failed(healthy, 'x', 0, 0);
    expect(isAvailable(probing(down, down.retryAt), down.retryAt)).toBe(false);
    expect(probing(healthy, 0)).toBe(healthy);
  });
});
