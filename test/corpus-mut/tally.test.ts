import { describe, expect, it } from 'vitest';
import type { Facts } from '../../packages/core/src/statement/facts.ts';
import type { Verdict } from './judge.ts';
import type { Judged } from './replay.ts';
import { missedBars, report } from './report.ts';
import { type Figures, share, Tally } from './tally.ts';

const safe: Verdict = { kind: 'safe' };
const hazard: Verdict = { kind: 'hazard', signals: ['writes'] };

function judged(sql: string, reason: Facts['reason'], verdict: Verdict, excluded = false): Judged {
  const facts = {
    kind: 'read',
    reason,
    word: null,
    pin: null,
    followUp: null,
    hint: null,
  } as const;
  return { sql, file: 't/a.test', facts, verdict, excluded };
}

function figuresOf(...reads: readonly Judged[]): Figures {
  const tally = new Tally('mysql');
  tally.add({ judged: reads, skipped: new Map([['XA', 2]]), replayed: 5, abandoned: 1 });
  return tally.figures();
}

function safeReads(count: number): Judged[] {
  return Array.from({ length: count }, (_, at) => judged(`SELECT ${at}`, null, safe));
}

describe('the figures', () => {
  it('count each text once', () => {
    const figures = figuresOf(judged('a', null, safe), judged('a', null, safe));
    expect(figures).toMatchObject({ reads: 1, safe: 1, toReplica: 1 });
  });

  it.each<[why: string, verdicts: Verdict[], expected: Partial<Figures>]>([
    ['safe once is safe', [{ kind: 'failed', code: 'X' }, safe], { safe: 1 }],
    ['also when it fails later', [safe, { kind: 'failed', code: 'X' }], { safe: 1 }],
    ['safe once, a hazard elsewhere', [safe, hazard, safe], { safe: 0 }],
    [
      'open says more than failed',
      [
        { kind: 'failed', code: 'X' },
        { kind: 'open', why: 'slow' },
      ],
      {
        open: new Map([['slow', 1]]),
      },
    ],
    ['failures by error', [{ kind: 'failed', code: 'X' }], { failed: new Map([['X', 1]]) }],
  ])('%s', (_why, verdicts, expected) => {
    const figures = figuresOf(...verdicts.map((verdict) => judged('a', null, verdict)));
    expect(figures).toMatchObject(expected);
  });

  it('tell rules from misses', () => {
    const byRule = judged('SELECT @a', 'user-variable', safe, true);
    const miss = judged('SELECT $a', 'unrecognised', safe);
    const figures = figuresOf(byRule, miss, ...safeReads(2));
    expect(figures.excluded).toEqual(new Map([['user-variable', 1]]));
    expect(figures.misses).toEqual([miss]);
    expect(share(figures)).toBeCloseTo(2 / 3);
  });

  it('tell hazards on the primary from those on a replica', () => {
    const sent = judged('SELECT f FROM v', null, hazard);
    const figures = figuresOf(judged('SELECT f()', 'unknown-function', hazard), sent);
    expect(figures.refused).toEqual(new Map([['unknown-function', 1]]));
    expect(figures.hazards).toEqual([
      { judged: sent, signals: ['writes'], explanation: undefined },
    ]);
  });

  it.each<[why: string, reads: Judged[], missed: string[]]>([
    ['nothing to complain about', safeReads(10), []],
    ['one miss in two hundred', [...safeReads(199), judged('x', 'unrecognised', safe)], []],
    [
      'one miss in a hundred',
      [...safeReads(99), judged('x', 'unrecognised', safe)],
      ['share 99.00 %'],
    ],
    ['a hazard', [...safeReads(10), judged('x', null, hazard)], ['1 unexplained hazards']],
    ['a hazard that stays on the primary', [judged('x', 'writes', hazard)], []],
  ])('bars: %s', (_why, reads, missed) => {
    expect(missedBars(figuresOf(...reads))).toEqual(missed);
  });

  it('are printed with every miss and every hazard', () => {
    const text = report(
      'mysql',
      figuresOf(
        ...safeReads(3),
        judged('SELECT\n$a', 'unrecognised', safe),
        judged('SELECT * FROM v', null, hazard),
      ),
    );
    expect(text).toContain('to a replica  3 of 4: 75.00 %');
    expect(text).toContain('unrecognised  t/a.test: SELECT $a');
    expect(text).toContain('UNEXPLAINED [writes] t/a.test: SELECT * FROM v');
    expect(text).toContain('5 statements of 1 files, 1 left');
    expect(text).toContain('XA 2');
  });
});
