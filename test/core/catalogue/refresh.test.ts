import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Reading, Refresh } from '../../../packages/core/src/catalogue/refresh.ts';

/** A reading whose course the test decides. */
class Course implements Reading {
  isTimed = false;
  isOver = false;
  answers = true;
  connect: () => void = () => {};
  succeed: () => void = () => {};
  fail: (error: Error) => void = () => {};

  run(isTimed: boolean, onConnected: () => void): Promise<void> {
    this.isTimed = isTimed;
    this.connect = onConnected;
    return new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
  }

  isAlive(): Promise<boolean> {
    return Promise.resolve(this.answers);
  }

  stop(): void {
    this.fail(new Error('stopped'));
  }

  onOver(): void {
    this.isOver = true;
  }
}

describe('Refresh', () => {
  let readings: Course[];
  let refresh: Refresh;
  let admitted: number;

  beforeEach(() => {
    vi.useFakeTimers();
    readings = [];
    admitted = 0;
    refresh = new Refresh(60_000, () => {
      const reading = new Course();
      readings.push(reading);
      return reading;
    });
  });
  afterEach(() => {
    refresh.close();
    vi.useRealTimers();
  });

  const ask = () => refresh.admits(() => admitted++);
  const last = () => {
    const reading = readings.at(-1);
    if (reading === undefined) throw new Error('no reading');
    return reading;
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);

  async function succeed(): Promise<void> {
    last().connect();
    last().succeed();
    await settle();
  }

  async function fail(): Promise<void> {
    last().fail(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    await settle();
  }

  it('begins with the first read, which waits with those behind it', async () => {
    expect(readings).toHaveLength(0);
    expect([ask(), ask()]).toEqual([false, false]);
    expect(readings).toHaveLength(1);
    await succeed();
    expect(admitted).toBe(2);
    expect(ask()).toBe(true);
    expect(refresh.isBehind).toBe(false);
    expect(refresh.hasRead).toBe(true);
  });

  it('lets reads go on when the first reading fails, and tries again after ever longer waits', async () => {
    ask();
    await fail();
    expect([admitted, ask(), refresh.isBehind]).toEqual([1, true, false]);
    expect(refresh.error).toBe('ECONNREFUSED');
    for (const wait of [1_000, 2_000, 4_000]) {
      const before = readings.length;
      await vi.advanceTimersByTimeAsync(wait * 0.79);
      expect(readings).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(wait * 0.21);
      expect(readings).toHaveLength(before + 1);
      await fail();
    }
    for (let n = 0; n < 20; n++) {
      await vi.advanceTimersByTimeAsync(60_000);
      await fail();
    }
    expect(readings.length).toBeGreaterThan(20);
  });

  it('lets reads go on after two seconds if the primary does not answer', async () => {
    ask();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(admitted).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect([admitted, refresh.isBehind]).toEqual([1, false]);
  });

  it('sends reads to a primary that answers but takes longer, until it is done or half a minute', async () => {
    ask();
    last().connect();
    await vi.advanceTimersByTimeAsync(2_000);
    expect([admitted, refresh.isBehind]).toEqual([1, true]);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(refresh.isBehind).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(refresh.isBehind).toBe(false);
    await succeed();
    expect(refresh.isBehind).toBe(false);
  });

  it('sends no reads to the primary once one of them could not be sent there', async () => {
    ask();
    last().connect();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(refresh.isBehind).toBe(true);
    refresh.doWithout();
    expect(refresh.isBehind).toBe(false);
  });

  it('does not send reads to a primary that has stopped answering in the middle of it', async () => {
    ask();
    last().connect();
    last().answers = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect([admitted, refresh.isBehind]).toEqual([1, false]);
    expect(last().isOver).toBe(true);
  });

  it('does not send reads to the primary after a first reading that failed late', async () => {
    ask();
    last().connect();
    await vi.advanceTimersByTimeAsync(3_000);
    await fail();
    expect(refresh.isBehind).toBe(false);
  });

  it('reads again when its time has come, with jitter', async () => {
    ask();
    await succeed();
    await vi.advanceTimersByTimeAsync(47_999);
    expect(readings).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(12_001);
    expect(readings).toHaveLength(2);
    expect(last().isTimed).toBe(true);
    expect(refresh.isBehind).toBe(false);
  });

  it('leaves a server in peace for twenty times as long as a reading took', async () => {
    ask();
    await vi.advanceTimersByTimeAsync(15_000);
    await succeed();
    await vi.advanceTimersByTimeAsync(239_999);
    expect(readings).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_001);
    expect(readings).toHaveLength(2);
  });

  it('begins with short waits again when there was a good reading between', async () => {
    ask();
    await fail();
    await vi.advanceTimersByTimeAsync(1_000);
    await succeed();
    await vi.advanceTimersByTimeAsync(47_999);
    expect(readings).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(12_001);
    await fail();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(readings).toHaveLength(4);
  });

  it.each([
    [0, 48_000],
    [0.5, 54_000],
  ])('spreads the readings of many processes: chance %d, %d ms', async (chance, wait) => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(chance);
    ask();
    await succeed();
    random.mockRestore();
    await vi.advanceTimersByTimeAsync(wait - 1);
    expect(readings).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(readings).toHaveLength(2);
  });

  it('takes no notice of changes before the first reading: that will know them', () => {
    refresh.expectChange();
    refresh.changed();
    expect(readings).toHaveLength(0);
    expect(refresh.isBehind).toBe(false);
  });

  it('is behind from the sending of a change until it is read', async () => {
    ask();
    await succeed();
    refresh.expectChange();
    expect([refresh.isBehind, readings.length]).toEqual([true, 1]);
    refresh.changed();
    expect([refresh.isBehind, readings.length]).toEqual([true, 2]);
    expect(last().isTimed).toBe(false);
    await succeed();
    expect(refresh.isBehind).toBe(false);
    expect(readings).toHaveLength(2);
  });

  it('reads again if a change came in while it was reading', async () => {
    ask();
    refresh.changed();
    refresh.changed();
    await succeed();
    expect([readings.length, refresh.isBehind]).toEqual([2, true]);
    await succeed();
    expect([readings.length, refresh.isBehind]).toEqual([2, false]);
  });

  it('is behind for five seconds at most if the change cannot be read', async () => {
    ask();
    await succeed();
    refresh.changed();
    await fail();
    await vi.advanceTimersByTimeAsync(500);
    expect(refresh.isBehind).toBe(true);
    await vi.advanceTimersByTimeAsync(4_499);
    expect(refresh.isBehind).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(refresh.isBehind).toBe(false);
  });

  it('reads again on doubt, but not what is fresh', async () => {
    refresh.doubt();
    expect(readings).toHaveLength(0);
    ask();
    await succeed();
    refresh.doubt();
    expect(readings).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_001);
    refresh.doubt();
    expect(readings).toHaveLength(2);
    expect(refresh.isBehind).toBe(false);
  });

  it('stops at the end, and lets those go on who wait', async () => {
    ask();
    refresh.close();
    await settle();
    expect(admitted).toBe(1);
    expect(last().isOver).toBe(true);
    refresh.changed();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(readings).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
