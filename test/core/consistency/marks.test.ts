import { describe, expect, it } from 'vitest';
import {
  type OnBadToken,
  ScopeMarks,
  WriteMarks,
} from '../../../packages/core/src/consistency/marks.ts';
import {
  isMetBy,
  isOwed,
  type Need,
  needOf,
  requiredBy,
  untoldAt,
} from '../../../packages/core/src/consistency/need.ts';
import {
  contains,
  emptySet,
  formatGtidSet,
  type GtidDialect,
  type GtidSet,
  parseGtidSet,
} from '../../../packages/core/src/gtid/set.ts';
import type { HostInfo } from '../../../packages/core/src/pool/host-info.ts';

const U = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const V = '0b11fa47-71ca-11e1-9e33-c80aa9429562';

function gtids(text: string, dialect: GtidDialect = 'mysql'): GtidSet {
  const set = parseGtidSet(text, dialect);
  if (set === null) throw new Error(`not read as a set: ${text}`);
  return set;
}

/** What a replica has that has executed these. */
const having = (text: string) => (set: GtidSet) => contains(gtids(text), set);
const havingNothing = () => false;

function textOf(set: GtidSet | null): string | null {
  return set === null ? null : formatGtidSet(set);
}

const replica: HostInfo = { name: 'r', role: 'replica' };
const other: HostInfo = { name: 's', role: 'replica' };

describe('WriteMarks', () => {
  it('has nothing at first', () => {
    const marks = new WriteMarks();
    expect([marks.gtids, marks.untoldAt, marks.isOwed]).toEqual([null, 0, false]);
  });

  it('has the GTIDs of all writes', () => {
    const marks = new WriteMarks();
    for (const text of [`${U}:5`, `${U}:7`, `${V}:1`, `${U}:6`]) marks.add(gtids(text));
    expect(textOf(marks.gtids)).toBe(`${V}:1,${U}:5-7`);
  });

  it('has a set of its own kind', () => {
    const marks = new WriteMarks();
    for (const text of ['0-1-5', '0-1-4', '1-1-1']) marks.add(gtids(text, 'mariadb'));
    expect(textOf(marks.gtids)).toBe('0-1-5,1-1-1');
  });

  it('keeps no more than 64 intervals, and never less than was written', () => {
    const marks = new WriteMarks();
    const written = Array.from({ length: 500 }, (_, i) => gtids(`${U}:${1 + 3 * i}`));
    for (const set of written) marks.add(set);
    const set = marks.gtids ?? emptySet('mysql');
    expect(formatGtidSet(set).split(':').length - 1).toBe(64);
    expect(written.every((one) => contains(set, one))).toBe(true);
  });

  it('is the same set when nothing is new: replicas are remembered by it', () => {
    const marks = new WriteMarks();
    marks.add(gtids(`${U}:1-9`));
    const { gtids: before } = marks;
    marks.add(gtids(`${U}:5`));
    marks.add(emptySet('mysql'));
    expect(marks.gtids).toBe(before);
  });

  it('does not throw for the GTIDs of another kind of server with the same name', () => {
    const marks = new WriteMarks();
    marks.add(gtids(`${U}:1`));
    expect(() => marks.add(gtids('0-1-1', 'mariadb'))).not.toThrow();
  });

  it('knows when the last write was of which nobody has told', () => {
    const marks = new WriteMarks();
    for (const at of [5, 9, 7]) marks.addUntold(at);
    expect(marks.untoldAt).toBe(9);
  });

  it('refuses the GTIDs of another kind of server, and says so', () => {
    const marks = new WriteMarks();
    expect(marks.add(gtids(`${U}:1`))).toBe(true);
    expect(marks.add(gtids('0-1-1', 'mariadb'))).toBe(false);
    expect(textOf(marks.gtids)).toBe(`${U}:1`);
  });

  it('owes until the primary has said what it executed after the last debt', () => {
    const marks = new WriteMarks();
    marks.owe();
    const { debts } = marks;
    marks.owe();
    marks.pay(debts, gtids(`${U}:1-5`));
    expect([marks.isOwed, textOf(marks.gtids)]).toEqual([true, `${U}:1-5`]);
    marks.pay(marks.debts, gtids(`${U}:1-6`));
    expect([marks.isOwed, textOf(marks.gtids)]).toEqual([false, `${U}:1-6`]);
  });

  it('owes no more if the answers come in the other order', () => {
    const marks = new WriteMarks();
    marks.owe();
    const { debts: first } = marks;
    marks.owe();
    marks.pay(marks.debts, gtids(`${U}:1-6`));
    marks.pay(first, gtids(`${U}:1-5`));
    expect([marks.isOwed, textOf(marks.gtids)]).toEqual([false, `${U}:1-6`]);
  });

  it('owes as long as the primary is asked for what nobody was told of', () => {
    const marks = new WriteMarks();
    marks.ask();
    marks.ask();
    marks.answer();
    expect(marks.isOwed).toBe(true);
    marks.answer();
    expect([marks.isOwed, marks.gtids]).toEqual([false, null]);
  });

  it('takes no more than it owes for', () => {
    const marks = new WriteMarks();
    marks.pay(marks.debts, gtids(`${U}:1-5`));
    expect([marks.isOwed, marks.gtids]).toEqual([false, null]);
  });

  it('still owes after an answer of another kind of server', () => {
    const marks = new WriteMarks();
    marks.add(gtids(`${U}:1`));
    marks.owe();
    marks.pay(marks.debts, gtids('0-1-1', 'mariadb'));
    expect([marks.isOwed, textOf(marks.gtids)]).toEqual([true, `${U}:1`]);
  });
});

describe('ScopeMarks', () => {
  describe('of what it has read', () => {
    it('admits any replica at first', () => {
      const marks = new ScopeMarks('');
      expect([marks.admits(replica), marks.admits(other), marks.preferred]).toEqual([
        true,
        true,
        null,
      ]);
    });

    it('prefers the replica that its first read was sent to', () => {
      const marks = new ScopeMarks('');
      marks.lean(replica);
      expect([marks.preferred, marks.admits(other)]).toEqual([replica, true]);
    });

    it('stays on the one that has shown it rows', () => {
      const marks = new ScopeMarks('');
      marks.saw(replica);
      marks.saw(replica);
      expect([marks.admits(replica), marks.admits(other)]).toEqual([true, false]);
    });

    it('can stay on neither of two', () => {
      const marks = new ScopeMarks('');
      marks.saw(replica);
      marks.saw(other);
      expect([marks.admits(replica), marks.admits(other)]).toEqual([false, false]);
    });

    it('can stay nowhere after it has seen the primary', () => {
      const marks = new ScopeMarks('');
      marks.saw(replica);
      marks.saw(null);
      expect([marks.admits(replica), marks.admits(other)]).toEqual([false, false]);
    });

    it('may go anywhere that has what the primary had then', () => {
      const marks = new ScopeMarks('');
      marks.lean(replica);
      marks.saw(replica);
      marks.saw(null);
      marks.proveReads(marks.reads, gtids(`${U}:1-9`));
      expect([marks.admits(replica), marks.admits(other), marks.preferred]).toEqual([
        true,
        true,
        null,
      ]);
      expect(marks.required.map(textOf)).toEqual([`${U}:1-9`]);
      expect(marks.isHadBy(having(`${U}:1-8`))).toBe(false);
      expect(marks.isHadBy(having(`${U}:1-9`))).toBe(true);
    });

    it.each<[string, HostInfo | null, HostInfo, boolean]>([
      ['the primary', null, replica, false],
      ['another replica', other, other, true],
      ['another replica, for the first one', other, replica, false],
    ])('does not forget what it saw of %s while it asked', (_what, place, host, admits) => {
      const marks = new ScopeMarks('');
      marks.saw(replica);
      const upTo = marks.reads;
      marks.saw(place);
      marks.proveReads(upTo, gtids(`${U}:1-9`));
      expect(marks.admits(host)).toBe(admits);
    });

    it('asks for all that it has proven', () => {
      const marks = new ScopeMarks('');
      marks.proveReads(0, gtids(`${U}:1-9`));
      marks.proveReads(0, gtids(`${V}:1`));
      expect(marks.required.map(textOf)).toEqual([`${V}:1,${U}:1-9`]);
    });

    it('is bound to a time when it has to leave its place, and to no place any more', () => {
      const marks = new ScopeMarks('');
      marks.lean(replica);
      marks.saw(replica);
      marks.saw(null);
      expect(marks.leftAt).toBe(0);
      marks.leavePlaces(7);
      expect([marks.leftAt, marks.admits(other), marks.preferred]).toEqual([7, true, null]);
      expect(marks.required).toEqual([]);
    });

    it('takes a replica that was lost and comes back for another one', () => {
      const marks = new ScopeMarks('');
      const [life, next] = [{}, {}];
      marks.saw(life);
      expect([marks.admits(life), marks.admits(next)]).toEqual([true, false]);
    });
  });

  describe('of tokens', () => {
    const now = 1_790_000_000_000;

    function following(text: string, onBadToken: OnBadToken = 'error'): ScopeMarks {
      const marks = new ScopeMarks('');
      follow(marks, text, onBadToken);
      return marks;
    }

    function follow(marks: ScopeMarks, text: string, onBadToken: OnBadToken = 'error'): void {
      marks.follow({ cluster: '', position: { kind: 'gtids', set: gtids(text) } }, onBadToken, now);
    }

    it('asks for what one claims, and asks no replica to wait for it', () => {
      const marks = following(`${U}:5`);
      expect(marks.required).toEqual([]);
      expect([marks.isHadBy(having(`${U}:1-5`)), marks.isHadBy(having(`${U}:1-4`))]).toEqual([
        true,
        false,
      ]);
    });

    it('counts what is proven as written', () => {
      const marks = following(`${U}:5`);
      for (const claim of marks.claims) marks.proveClaim(claim);
      expect(marks.claims).toEqual([]);
      expect(textOf(marks.written.gtids)).toBe(`${U}:5`);
    });

    it('keeps a bad one, that every read is refused', () => {
      const marks = following(`${U}:5`);
      for (const claim of marks.claims) marks.refuteClaim(claim);
      expect(marks.claims).toMatchObject([{ isBad: true }]);
      expect(marks.written.gtids).toBeNull();
    });

    it('drops a bad one that is to be ignored', () => {
      const marks = following(`${U}:5`, 'ignore');
      for (const claim of marks.claims) marks.refuteClaim(claim);
      expect([marks.claims, marks.isHadBy(having(`${U}:1`))]).toEqual([[], true]);
    });

    it('judges each by itself', () => {
      const marks = following(`${U}:5`);
      follow(marks, `${V}:5`, 'ignore');
      const [first, second] = marks.claims;
      if (first === undefined || second === undefined) throw new Error('no claims');
      marks.refuteClaim(second);
      marks.proveClaim(first);
      expect([marks.claims, textOf(marks.written.gtids)]).toEqual([[], `${U}:5`]);
    });

    it.each([
      ['the past', now - 5, now - 5],
      ['now', now, now],
      ['the future: no more than one window', now + 5, now],
    ])('takes a time of %s', (_when, at, expected) => {
      const marks = new ScopeMarks('');
      marks.follow({ cluster: '', position: { kind: 'time', at } }, 'error', now);
      expect(marks.written.untoldAt).toBe(expected);
    });
  });
});

describe('a need', () => {
  function needs(): { ofProcess: Need; scope: ScopeMarks } {
    return {
      ofProcess: { process: new WriteMarks(), scope: null },
      scope: new ScopeMarks(''),
    };
  }

  it('is nothing for eventual reads', () => {
    const { ofProcess, scope } = needs();
    expect(needOf('eventual', ofProcess, null)).toBeNull();
    expect(needOf('eventual', ofProcess, scope)).toBeNull();
  });

  it('is the scope for session, and nothing outside of one', () => {
    const { ofProcess, scope } = needs();
    expect(needOf('session', ofProcess, null)).toBeNull();
    expect(needOf('session', ofProcess, scope)).toEqual({ process: null, scope });
  });

  it('is the process, and the scope if there is one, for process', () => {
    const { ofProcess, scope } = needs();
    expect(needOf('process', ofProcess, null)).toBe(ofProcess);
    expect(needOf('process', ofProcess, scope)).toEqual({ process: ofProcess.process, scope });
  });

  it('is met by who has what both have written', () => {
    const { ofProcess, scope } = needs();
    const need = needOf('process', ofProcess, scope);
    if (need === null) throw new Error('no need');
    expect([isMetBy(need, havingNothing), requiredBy(need)]).toEqual([true, []]);
    ofProcess.process?.add(gtids(`${U}:5`));
    scope.written.add(gtids(`${V}:5`));
    expect(requiredBy(need).map(textOf)).toEqual([`${U}:5`, `${V}:5`]);
    expect(isMetBy(need, having(`${U}:5`))).toBe(false);
    expect(isMetBy(need, having(`${V}:5`))).toBe(false);
    expect(isMetBy(need, having(`${U}:5,${V}:5`))).toBe(true);
  });

  it.each<[string, (need: ReturnType<typeof needs>) => WriteMarks | null]>([
    ['the process', ({ ofProcess }) => ofProcess.process],
    ['the scope', ({ scope }) => scope.written],
  ])('is owed, or bound to a time, by %s', (_whose, of) => {
    const made = needs();
    const need = needOf('process', made.ofProcess, made.scope);
    if (need === null) throw new Error('no need');
    expect([isOwed(need), untoldAt(need)]).toEqual([false, 0]);
    of(made)?.owe();
    of(made)?.addUntold(7);
    expect([isOwed(need), untoldAt(need)]).toEqual([true, 7]);
  });

  it('is bound to a time by a scope that had to leave its place', () => {
    const { ofProcess, scope } = needs();
    scope.leavePlaces(9);
    expect(untoldAt({ ...ofProcess, scope })).toBe(9);
  });

  it.each(['session', 'process'] as const)('asks for what a token claims: %s', (level) => {
    const { ofProcess, scope } = needs();
    const position = { kind: 'gtids', set: gtids(`${V}:5`) } as const;
    scope.follow({ cluster: '', position }, 'error', 0);
    const need = needOf(level, ofProcess, scope);
    if (need === null) throw new Error('no need');
    expect([isMetBy(need, having(`${U}:5`)), isMetBy(need, having(`${V}:5`))]).toEqual([
      false,
      true,
    ]);
  });

  it('of a scope does not care where others have read', () => {
    const { scope } = needs();
    scope.saw(replica);
    expect([scope.admits(replica), scope.admits(other)]).toEqual([true, false]);
    expect(new ScopeMarks('').admits(other)).toBe(true);
  });
});
