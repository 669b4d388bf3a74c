import { setTimeout as sleep } from 'node:timers/promises';
import { primary, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flavors } from '../../support/servers/flavor.ts';
import { look, through, untilReplica } from './bed.ts';
import { Pair } from './pair.ts';

interface Warning extends Error {
  readonly code?: string;
}

/** How long reads stay on the primary after a write, in milliseconds. */
const window = 500;

/** How reads come back to replicas of a primary that gives no GTIDs. */
describe.each(flavors)('%s', (flavor) => {
  let pair: Pair;
  let last = 0;

  beforeAll(async () => {
    pair = await Pair.start(flavor);
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  afterEach(() => pair.closePools());

  const insert = () => {
    last += 1;
    return `INSERT INTO note (id) VALUES (${last})`;
  };

  /** The warnings while something runs. */
  async function warningsDuring(work: () => Promise<unknown>): Promise<string[]> {
    const codes: string[] = [];
    const note = ({ code = '' }: Warning) => codes.push(code);
    process.on('warning', note);
    try {
      await work();
      // A warning is told in the next turn.
      await new Promise(setImmediate);
    } finally {
      process.off('warning', note);
    }
    return codes;
  }

  it('is known after the first connection to the primary', async () => {
    const pool = pair.open();
    expect(pool.stats().consistency.tracking).toBe('unknown');
    await through(pool)('SELECT 1');
    expect(pool.stats().consistency.tracking).toBe('unknown');
    await primary(() => through(pool)('SELECT 1'));
    expect(pool.stats().consistency.tracking).toBe('window');
  });

  it('keeps reads on the primary until the window is over, outside of sessions', async () => {
    const pool = pair.open({ causalWindow: window });
    await through(pool)(insert());
    expect(await look(through(pool))).toMatchObject({ reason: 'causal-window', waited: 0 });
    const seen = await untilReplica(() => look(through(pool)));
    expect(seen).toMatchObject({ host: 'replica', reason: 'read', waited: 0 });
    const { replica, waited, primary: onPrimary } = pool.stats().consistency.reads;
    expect([replica, waited]).toEqual([1, 0]);
    expect(onPrimary).toBeGreaterThan(0);
  });

  it('keeps reads of a session on the primary until its window is over', async () => {
    const pool = pair.open({ causalWindow: window });
    await withSession(async () => {
      await through(pool)(insert());
      expect(await look(through(pool))).toMatchObject({ reason: 'causal-window' });
      await sleep(window + 50);
      expect(await look(through(pool))).toMatchObject({ host: 'replica', reason: 'read' });
    });
  });

  it('keeps no reads of other sessions on the primary', async () => {
    const pool = pair.open({ causalWindow: 600_000 });
    await withSession(() => through(pool)(insert()));
    await withSession(async () => {
      expect(await look(through(pool))).toMatchObject({ host: 'replica', reason: 'read' });
    });
    expect(await look(through(pool))).toMatchObject({ reason: 'causal-window' });
  });

  it('keeps reads on the primary for a window after a session has read there', async () => {
    const pool = pair.open({ causalWindow: window });
    await withSession(async () => {
      await primary(() => through(pool)('SELECT 1'));
      expect(await look(through(pool))).toMatchObject({ reason: 'causal-window' });
      await sleep(window + 50);
      expect(await look(through(pool))).toMatchObject({ host: 'replica', reason: 'read' });
    });
  });

  it('asks a token from the future for no more than one window', async () => {
    const pool = pair.open({ causalWindow: window });
    await withSession({ after: `1~!t${8.64e15}` }, async () => {
      await primary(() => through(pool)('SELECT 1'));
      expect(await look(through(pool))).toMatchObject({ reason: 'causal-window' });
      await sleep(window + 50);
      expect(await look(through(pool))).toMatchObject({ host: 'replica', reason: 'read' });
    });
  });

  it('warns once of a write outside of sessions', async () => {
    const pool = pair.open();
    const codes = await warningsDuring(async () => {
      await through(pool)(insert());
      await through(pool)(insert());
    });
    expect(codes).toEqual(['RWSPLIT_NO_GTIDS']);
  });

  it('warns of no write in a session', async () => {
    const pool = pair.open();
    const codes = await warningsDuring(() =>
      withSession(async () => {
        await through(pool)(insert());
        await through(pool)('SELECT 1');
      }),
    );
    expect(codes).toEqual([]);
  });
});
