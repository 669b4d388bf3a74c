import { describe, expect, it } from 'vitest';
import {
  type Health,
  type HealthEvent,
  type HostState,
  healthy,
  reduceHealth,
} from '../../../packages/core/src/hosts/health.ts';

const lost: HealthEvent = { kind: 'lost', code: 'ECONNRESET' };
const tried: HealthEvent = { kind: 'tried' };
const connected: HealthEvent = { kind: 'connected' };
const removed: HealthEvent = { kind: 'removed' };

function failed(now = 0, jitter = 0): HealthEvent {
  return { kind: 'failed', code: 'ECONNREFUSED', now, jitter, longestWait: 30_000 };
}

function reduced(...events: readonly HealthEvent[]): Health {
  return events.reduce(reduceHealth, healthy);
}

describe('a host', () => {
  it.each<[string, readonly HealthEvent[], HostState]>([
    ['nothing is known against', [], 'up'],
    ['that lost a connection, which may have been killed', [lost], 'suspect'],
    ['that lost many', [lost, lost, lost], 'suspect'],
    ['that gives a connection after that', [lost, connected], 'up'],
    ['that gives none after that', [lost, failed()], 'down'],
    ['that gives none', [failed()], 'down'],
    ['that is down, and loses what it had', [failed(), lost], 'down'],
    ['that is tried', [failed(), tried], 'down'],
    ['that is tried, and fails again', [failed(), tried, failed()], 'down'],
    ['that is back', [failed(), tried, connected], 'up'],
    ['that is back before it is tried', [failed(), connected], 'up'],
    ['that is removed', [removed], 'draining'],
    ['that is removed while it is down', [failed(), removed], 'draining'],
    ['that is removed, whatever comes', [removed, failed(), connected, lost, tried], 'draining'],
  ])('%s', (_which, events, state) => {
    expect(reduced(...events).state).toBe(state);
  });

  it('is tried again after a wait that doubles', () => {
    const once = reduced(failed(1_000));
    expect(once).toMatchObject({ failures: 1, retryAt: 1_250, lastFailure: 'ECONNREFUSED' });
    const twice = [tried, failed(1_260)].reduce(reduceHealth, once);
    expect(twice).toMatchObject({ failures: 2, retryAt: 1_760 });
    expect(reduceHealth(twice, connected)).toEqual(healthy);
  });

  it('is tried every 30 s at least, and is never gone for good', () => {
    let health = healthy;
    for (let failures = 0; failures < 100; failures++) {
      health = [tried, failed(health.retryAt)].reduce(reduceHealth, health);
    }
    const last = health.retryAt;
    expect([tried, failed(last)].reduce(reduceHealth, health).retryAt - last).toBe(30_000);
  });

  it('has its wait shortened by up to a half, so that a fleet does not come back at once', () => {
    expect(reduced(failed(0, 0.999)).retryAt).toBeCloseTo(125, 0);
  });

  it('has failures that came together counted once', () => {
    const once = reduced(failed());
    const late = reduceHealth(once, { ...failed(1), code: 'ETIMEDOUT' } as HealthEvent);
    expect(late).toEqual({ ...once, lastFailure: 'ETIMEDOUT' });
  });

  it('is told nothing new by what changes nothing', () => {
    const up = reduced();
    const down = reduced(failed());
    expect(reduceHealth(up, connected)).toBe(up);
    expect(reduceHealth(up, tried)).toBe(up);
    expect(reduceHealth(down, lost)).toBe(down);
  });
});
