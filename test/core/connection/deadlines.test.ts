import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../../packages/core/src/pool/deadlines.ts';

describe('deadlines', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function missedOf(deadlines: Deadlines, log: string[]) {
    return (name: string) => deadlines.add(() => log.push(name));
  }

  it('are missed in their order, each at its time', async () => {
    const log: string[] = [];
    const add = missedOf(new Deadlines(100), log);
    add('first');
    await vi.advanceTimersByTimeAsync(60);
    add('second');
    await vi.advanceTimersByTimeAsync(39);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(59);
    expect(log).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual(['first', 'second']);
  });

  it('are not missed once they are removed, and those behind them still are', async () => {
    const log: string[] = [];
    const deadlines = new Deadlines(100);
    const add = missedOf(deadlines, log);
    const first = add('first');
    await vi.advanceTimersByTimeAsync(50);
    const second = add('second');
    deadlines.remove(first);
    await vi.advanceTimersByTimeAsync(99);
    expect(log).toEqual([]);
    expect([first.isOver, second.isOver]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual(['second']);
    expect(second.isOver).toBe(true);
  });

  it('leave no timer behind', async () => {
    const deadlines = new Deadlines(100);
    deadlines.remove(deadlines.add(() => {}));
    await vi.advanceTimersByTimeAsync(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('go on when somebody who missed one throws', async () => {
    const log: string[] = [];
    const thrown: unknown[] = [];
    const note = (error: unknown) => thrown.push(error);
    const others = process.rawListeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', note);
    const deadlines = new Deadlines(100);
    const failure = new Error('of the caller');
    deadlines.add(() => {
      throw failure;
    });
    deadlines.add(() => log.push('second'));
    await vi.advanceTimersByTimeAsync(100);
    deadlines.add(() => log.push('third'));
    await vi.advanceTimersByTimeAsync(100);
    vi.useRealTimers();
    await new Promise((resolve) => setTimeout(resolve, 1));
    process.off('uncaughtException', note);
    for (const listener of others) process.on('uncaughtException', listener as () => void);
    expect(log).toEqual(['second', 'third']);
    expect(thrown).toEqual([failure]);
  });

  it('may be added while others are missed', async () => {
    const log: string[] = [];
    const deadlines = new Deadlines(100);
    deadlines.add(() => deadlines.add(() => log.push('later')));
    await vi.advanceTimersByTimeAsync(100);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(log).toEqual(['later']);
  });
});
