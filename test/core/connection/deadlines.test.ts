import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../../packages/core/src/pool/deadlines.ts';

describe('deadlines', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function missedOf(deadlines: Deadlines, log: string[]) {
    return (name: string) => deadlines.add(() => log.push(name));
  }

  it('are missed in their order, each at its time', () => {
    const log: string[] = [];
    const add = missedOf(new Deadlines(100), log);
    add('first');
    vi.advanceTimersByTime(60);
    add('second');
    vi.advanceTimersByTime(39);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(['first']);
    vi.advanceTimersByTime(59);
    expect(log).toEqual(['first']);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(['first', 'second']);
  });

  it('are not missed once they are removed, and those behind them still are', () => {
    const log: string[] = [];
    const deadlines = new Deadlines(100);
    const add = missedOf(deadlines, log);
    const first = add('first');
    vi.advanceTimersByTime(50);
    const second = add('second');
    deadlines.remove(first);
    vi.advanceTimersByTime(99);
    expect(log).toEqual([]);
    expect([first.isOver, second.isOver]).toEqual([true, false]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(['second']);
    expect(second.isOver).toBe(true);
  });

  it('leave no timer behind', () => {
    const deadlines = new Deadlines(100);
    deadlines.remove(deadlines.add(() => {}));
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may be added while others are missed', () => {
    const log: string[] = [];
    const deadlines = new Deadlines(100);
    deadlines.add(() => deadlines.add(() => log.push('later')));
    vi.advanceTimersByTime(100);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(log).toEqual(['later']);
  });
});
