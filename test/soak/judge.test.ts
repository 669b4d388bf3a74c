import { describe, expect, it } from 'vitest';
import type { Figures } from './figures.ts';
import { problemsOf } from './judge.ts';
import type { Outcome } from './run.ts';

const figures: Figures = {
  heap: 45_000_000,
  resources: { TCPSocketWrap: 57, Timeout: 1 },
  objects: {
    pools: 2,
    hosts: 6,
    borrowed: 0,
    sessions: 8,
    timers: 12,
    sockets: 100,
    promises: 600,
  },
  listeners: 10,
  links: [12, 10, 6],
  connections: [12, 10, 6],
};
const closed: Figures = { ...figures, links: [0, 0, 0], connections: [0, 0, 0] };
const totals: Outcome['totals'] = {
  outcomes: {},
  judgedReads: 1000,
  longestRead: 12,
  wrong: [],
  wrongCount: 0,
};
const sound: Outcome = {
  faults: new Map(),
  totals,
  verdict: {
    counts: { open: 0, acknowledged: 100, refused: 1, unknown: 1 },
    unknownButThere: 1,
    problems: [],
  },
  figures: { start: figures, middle: figures, end: figures, closed },
  recoveries: [0, 0],
  problems: [],
};

/** A run like the sound one, but for what was measured at its end. */
function ending(end: Partial<Figures>): Outcome {
  return { ...sound, figures: { ...sound.figures, end: { ...figures, ...end } } };
}

function counting(objects: Partial<Figures['objects']>): Outcome {
  return ending({ objects: { ...figures.objects, ...objects } });
}

describe('the judge', () => {
  it('finds nothing wrong with a sound run', () => {
    expect(problemsOf(sound)).toEqual([]);
  });

  it.each([
    ['the heap', ending({ heap: 60_000_000 }), 'heap grew'],
    ['a listener', ending({ listeners: 11 }), 'listeners grew'],
    ['what keeps the process alive', ending({ resources: { Timeout: 20 } }), 'Timeout grew'],
    ['timers', counting({ timers: 50 }), 'timers grew'],
    ['sockets that belong to no connection', counting({ sockets: 130 }), 'sockets grew'],
    ['promises', counting({ promises: 1000 }), 'promises grew'],
    ['connections lent', counting({ borrowed: 20 }), 'borrowed connections grew'],
    ['sessions', counting({ sessions: 40 }), 'sessions grew'],
    ['a pool that has ended', counting({ pools: 3 }), '3 pools are alive'],
    ['hosts that were removed', counting({ hosts: 20 }), '20 hosts are alive'],
    [
      'connections that the server alone has',
      ending({ connections: [13, 10, 6] }),
      'servers have 13,10,6 connections, and the network 12,10,6',
    ],
    [
      'more connections than allowed',
      ending({ links: [30, 10, 6], connections: [30, 10, 6] }),
      'servers have 30,10,6 connections, more than',
    ],
    [
      'connections after the end',
      { ...sound, figures: { ...sound.figures, closed: figures } },
      'after the end of all pools, 12,10,6 connections are left',
    ],
    ['no read', { ...sound, totals: { ...totals, judgedReads: 0 } }, 'no read was judged'],
    ['a lost write', { ...sound, verdict: { ...sound.verdict, problems: ['1 lost'] } }, '1 lost'],
    ['a failed read', { ...sound, totals: { ...totals, wrong: ['a'], wrongCount: 2 } }, '1 more'],
  ])('sees %s', (_what, outcome, problem) => {
    expect(problemsOf(outcome).join('\n')).toContain(problem);
  });
});
