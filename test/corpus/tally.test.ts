import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import type { Verdict } from './judge.ts';
import type { Read } from './replay.ts';
import { missedBars, report } from './report.ts';
import { type Figures, share, Tally } from './tally.ts';

const safe: Verdict = { kind: 'safe' };
const hazard: Verdict = { kind: 'hazard', signals: ['writes'] };

/** No such function exists, as far as the server told. */
const miss = 'SELECT nosuch(1)';

function read(sql: string, verdict: Verdict): Read {
  return { sql, file: 't/a.test', verdict };
}

function figuresOf(...reads: readonly Read[]): Figures {
  const tally = new Tally('mysql', createClassifier({ dialect: 'mysql' }));
  tally.add({ reads, skipped: { XA: 2 }, replayed: 5, abandoned: 1 });
  return tally.figures();
}

function safeReads(count: number): Read[] {
  return Array.from({ length: count }, (_, at) => read(`SELECT ${at}`, safe));
}

describe('the figures', () => {
  it('count each text once', () => {
    const figures = figuresOf(read('SELECT 1', safe), read('SELECT 1', safe));
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
    const figures = figuresOf(...verdicts.map((verdict) => read('SELECT 1', verdict)));
    expect(figures).toMatchObject(expected);
  });

  it('tell rules from misses', () => {
    const missed = read(miss, safe);
    const figures = figuresOf(read('SELECT @a', safe), missed, ...safeReads(2));
    expect(figures.excluded).toEqual(new Map([['user-variable', 1]]));
    expect(figures.misses).toMatchObject([{ ...missed, rule: null }]);
    expect(share(figures)).toBeCloseTo(2 / 3);
  });

  it('count a call of a stored function as kept by rule', () => {
    const figures = figuresOf({ ...read(miss, safe), functions: ['nosuch'] });
    expect(figures.excluded).toEqual(new Map([['unknown-function', 1]]));
    expect(figures.misses).toEqual([]);
  });

  it('tell hazards on the primary from those on a replica', () => {
    const sent = read('SELECT f FROM v', hazard);
    const figures = figuresOf(read('SELECT f()', hazard), sent);
    expect(figures.refused).toEqual(new Map([['unknown-function', 1]]));
    expect(figures.hazards).toMatchObject([
      { judged: sent, signals: ['writes'], explanation: undefined },
    ]);
  });

  it('explain a hazard that no text shows, in the file where it stands', () => {
    const sql = 'SELECT *\nFROM t1 WHERE a IS NULL';
    const figures = figuresOf({ sql, file: 't/odbc.test', verdict: hazard }, read(sql, hazard));
    const explanations = figures.hazards.map(({ explanation }) => explanation);
    expect(explanations).toEqual(['sql_auto_is_null', undefined]);
  });

  it.each<[why: string, reads: Read[], missed: string[]]>([
    ['nothing to complain about', safeReads(10), []],
    ['one miss in two hundred', [...safeReads(199), read(miss, safe)], []],
    ['one miss in a hundred', [...safeReads(99), read(miss, safe)], ['share 99.00 %']],
    ['a hazard', [...safeReads(10), read('SELECT * FROM v', hazard)], ['1 unexplained hazards']],
    ['a hazard that stays on the primary', [read('SELECT f()', hazard)], []],
  ])('bars: %s', (_why, reads, missed) => {
    expect(missedBars(figuresOf(...reads))).toEqual(missed);
  });

  it('are printed with every miss and every hazard', () => {
    const text = report(
      'mysql',
      figuresOf(...safeReads(3), read('SELECT\nnosuch(1)', safe), read('SELECT * FROM v', hazard)),
    );
    expect(text).toContain('to a replica  3 of 4: 75.00 %');
    expect(text).toContain('unknown-function nosuch t/a.test: SELECT nosuch(1)');
    expect(text).toContain('UNEXPLAINED [writes] t/a.test: SELECT * FROM v');
    expect(text).toContain('5 statements of 1 files');
    expect(text).toContain("1 left when a file's time was up, XA 2");
    expect(text).toContain('1: unknown-function nosuch 1');
  });

  it('are printed with the ten errors that the server refused most for', () => {
    const reads = Array.from({ length: 12 }, (_, at) =>
      read(`SELECT ${at}`, { kind: 'failed', code: at < 2 ? 'ER_MOST' : `ER_${at}` }),
    );
    expect(report('mysql', figuresOf(...reads))).toMatch(
      /by the server: 12: ER_MOST 2, .* others 1$/m,
    );
  });
});
