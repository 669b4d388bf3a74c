import { describe, expect, it } from 'vitest';
import { groupReplication } from '../../../packages/core/src/topology/group-replication.ts';
import type { GroupView } from '../../../packages/core/src/topology/group-view.ts';
import { view } from './views.ts';

const { read, resolve } = groupReplication;

type Answers = Readonly<Record<string, GroupView | null>>;

function found(answers: Answers, primary: string | null = null) {
  return resolve(new Map(Object.entries(answers)), primary);
}

/** Each answer under the group's own name for the one that gives it. */
function at(...views: readonly GroupView[]): Answers {
  return Object.fromEntries(views.map((said) => [`${said.server}:3306`, said]));
}

const all = 'a* b c';

describe('roles', () => {
  it.each<
    [reason: string, Answers, primary: string | null, writable: string[], readable: string[]]
  >([
    [
      'a group in order',
      at(view('a', all), view('b', all), view('c', all)),
      null,
      ['a:3306'],
      ['b:3306', 'c:3306'],
    ],
    [
      'a member that is not asked yet',
      at(view('a', all), view('b', all)),
      null,
      ['a:3306'],
      ['b:3306'],
    ],
    [
      'a member that gives no answer gets no reads',
      { ...at(view('a', all), view('b', all)), 'c:3306': null },
      null,
      ['a:3306'],
      ['b:3306'],
    ],
    [
      'a member that catches up',
      at(view('a', 'a* b c~'), view('b', 'a* b c~'), view('c', 'a* b c~')),
      null,
      ['a:3306'],
      ['b:3306'],
    ],
    [
      'a member that catches up does not know the group yet',
      { ...at(view('c', 'a* b c~')), 'a:3306': null },
      'a:3306',
      [],
      [],
    ],
    [
      'a member that has left in error says nothing about the others',
      at(view('a', 'a* b', { sequence: 2 }), view('b', 'a* b', { sequence: 2 }), view('c', 'c!')),
      null,
      ['a:3306'],
      ['b:3306'],
    ],
    [
      'a member that was stopped',
      at(view('a', 'a* b', { sequence: 2 }), view('c', 'c-')),
      null,
      ['a:3306'],
      [],
    ],
    [
      'a member that one other cannot reach: one bad link',
      at(view('a', 'a* b c?'), view('b', all), view('c', 'a*? b c')),
      null,
      ['a:3306'],
      ['b:3306', 'c:3306'],
    ],
    [
      'the same where only the two ends of the link answer',
      at(view('a', 'a* b c?'), view('c', 'a*? b c')),
      null,
      ['a:3306'],
      ['c:3306'],
    ],
    [
      'a member that the others cannot reach, and does not know it yet',
      at(view('a', 'a* b c?'), view('b', 'a* b c?'), view('c', all)),
      null,
      ['a:3306'],
      ['b:3306'],
    ],
    [
      'a member that is closed for ordinary accounts',
      at(view('a', all), view('b', all, { isOffline: true }), view('c', all)),
      null,
      ['a:3306'],
      ['c:3306'],
    ],
    [
      'a primary that is closed for ordinary accounts',
      at(view('a', all, { isOffline: true }), view('b', all)),
      'a:3306',
      [],
      ['b:3306'],
    ],
    [
      'a primary that has not opened up yet: it may be read from',
      at(view('a', all, { isReadOnly: true }), view('b', all)),
      null,
      [],
      ['a:3306', 'b:3306'],
    ],
    [
      'also not if it was the primary before',
      at(view('a', all, { isReadOnly: true }), view('b', all)),
      'a:3306',
      [],
      ['a:3306', 'b:3306'],
    ],
    [
      'a primary that has not been asked itself',
      at(view('b', all), view('c', all)),
      null,
      [],
      ['b:3306', 'c:3306'],
    ],
    [
      'a primary that does not answer, but was it until now',
      { ...at(view('b', all), view('c', all)), 'a:3306': null },
      'a:3306',
      ['a:3306'],
      ['b:3306', 'c:3306'],
    ],
    [
      'the same once the others miss it',
      { ...at(view('b', 'a*? b c'), view('c', 'a*? b c')), 'a:3306': null },
      'a:3306',
      [],
      ['b:3306', 'c:3306'],
    ],
    ['a group of one', at(view('a', 'a*')), null, ['a:3306'], []],
  ])('%s', (_, answers, primary, writable, readable) => {
    expect(found(answers, primary)).toMatchObject({ writable, readable });
  });
});

describe('views that differ', () => {
  const elected = { sequence: 2 };

  it.each<
    [reason: string, Answers, primary: string | null, writable: string[], readable: string[]]
  >([
    [
      'the old primary does not know yet that it was expelled',
      at(view('a', all), view('b', 'b* c', elected), view('c', 'b* c', elected)),
      'a:3306',
      ['b:3306'],
      ['c:3306'],
    ],
    [
      'the same where only the old primary and a secondary answer',
      at(view('a', all), view('c', 'b* c', elected)),
      'a:3306',
      [],
      ['c:3306'],
    ],
    ['the old primary, alone in its own eyes', at(view('a', 'a* b? c?')), 'a:3306', [], []],
    [
      'half of the group is no majority',
      at(view('a', 'a* b c? d?'), view('b', 'a* b c? d?')),
      'a:3306',
      [],
      [],
    ],
    [
      'an old primary in a minority, and a majority that has not elected yet',
      at(view('a', 'a* b? c?'), view('b', 'a*? b c'), view('c', 'a*? b c')),
      'a:3306',
      [],
      ['b:3306', 'c:3306'],
    ],
    [
      'a member has joined, and the primary answered before that',
      at(view('a', 'a* b'), view('b', 'a* b c~', elected)),
      null,
      ['a:3306'],
      ['b:3306'],
    ],
    [
      'a switch of roles: both answered as the primary',
      at(view('a', all), view('b', 'a b* c'), view('c', all)),
      'a:3306',
      [],
      ['a:3306', 'b:3306', 'c:3306'],
    ],
    [
      'a switch of roles that the old primary knows of, and a secondary does not',
      at(view('a', 'a b* c'), view('b', 'a b* c'), view('c', all)),
      'a:3306',
      ['b:3306'],
      ['a:3306', 'c:3306'],
    ],
    [
      'a switch of roles to one that does not know of it, and was opened by hand',
      at(view('a', 'a b* c'), view('b', all, { isReadOnly: false })),
      'a:3306',
      [],
      ['a:3306', 'b:3306'],
    ],
    [
      'a switch of roles, and the old primary gives no answer',
      { ...at(view('b', all), view('c', 'a b* c')), 'a:3306': null },
      'a:3306',
      [],
      ['b:3306', 'c:3306'],
    ],
    [
      'sequence numbers are numbers',
      at(view('a', 'a* b', { sequence: 9 }), view('b', 'b*', { sequence: 10 })),
      null,
      ['b:3306'],
      [],
    ],
    [
      'multi-primary mode: all of them, also those that gave no answer',
      { ...at(view('a', 'a* b* c*')), 'b:3306': null },
      'a:3306',
      ['a:3306', 'b:3306', 'c:3306'],
      [],
    ],
    [
      'two groups out of one, each with its majority: both primaries, and no reads',
      at(
        view('a', 'a* d', { group: 'h' }),
        view('d', 'a* d', { group: 'h' }),
        view('b', 'b* c'),
        view('c', 'b* c'),
      ),
      'b:3306',
      ['a:3306', 'b:3306'],
      [],
    ],
    [
      'two groups, one without a primary: reads where writes go',
      at(view('a', 'a* d', { group: 'h' }), view('d', 'a* d', { group: 'h' }), view('c', 'b* c')),
      null,
      ['a:3306'],
      ['d:3306'],
    ],
    [
      'a group forced apart by its operator: both primaries',
      at(view('a', 'a*'), view('b', 'b* c'), view('c', 'b* c')),
      null,
      ['a:3306', 'b:3306'],
      ['c:3306'],
    ],
    ['nobody answers', { 'a:3306': null, 'b:3306': null }, 'a:3306', [], []],
    ['nobody is asked', {}, null, [], []],
  ])('%s', (_, answers, primary, writable, readable) => {
    const findings = found(answers, primary);
    expect(findings).toMatchObject({ readable });
    expect([...findings.writable].sort()).toEqual([...writable].sort());
  });
});

describe('members', () => {
  it.each<[reason: string, Answers, members: string[]]>([
    ['those of the view', at(view('a', all), view('b', all)), ['a:3306', 'b:3306', 'c:3306']],
    [
      'one that has left is none',
      { ...at(view('a', 'a* b'), view('b', 'a* b')), 'c:3306': null },
      ['a:3306', 'b:3306'],
    ],
    [
      'one that has left is none though it answers',
      at(view('a', 'a* b', { sequence: 2 }), view('b', 'a* b', { sequence: 2 }), view('c', 'c!')),
      ['a:3306', 'b:3306'],
    ],
    ['also those that are not ready', at(view('a', 'a* b~ c?')), ['a:3306', 'b:3306', 'c:3306']],
    [
      'in a minority nobody is given up',
      { ...at(view('a', 'a* b? c?')), 'b:3306': null, 'x:1': null },
      ['a:3306', 'b:3306', 'x:1'],
    ],
    [
      'a server goes by the name that it answered at',
      { '127.0.0.1:4001': view('a', 'a* b'), '127.0.0.1:4002': view('b', 'a* b') },
      ['127.0.0.1:4001', '127.0.0.1:4002'],
    ],
    [
      'a server that answers at two names goes by that of the group',
      {
        'a:3306': view('a', 'a* b'),
        '10.0.0.1:3306': view('a', 'a* b'),
        'b:3306': view('b', 'a* b'),
      },
      ['a:3306', 'b:3306'],
    ],
    [
      'a silent host may be the member that is missing',
      { '127.0.0.1:4001': view('a', 'a* b'), '127.0.0.1:4002': null },
      ['127.0.0.1:4001', '127.0.0.1:4002', 'b:3306'],
    ],
    [
      'a silent host is none once that one answers elsewhere',
      {
        '127.0.0.1:4001': view('a', 'a* b'),
        '127.0.0.1:4002': null,
        'b:3306': view('b', 'a* b'),
      },
      ['127.0.0.1:4001', 'b:3306'],
    ],
    [
      'a name at which another answers is not that of the missing one',
      { 'b:3306': view('a', 'a* b'), '127.0.0.1:4002': null },
      ['127.0.0.1:4002', 'b:3306'],
    ],
    [
      'nor one at which a stranger answers',
      { '127.0.0.1:4001': view('a', 'a* b'), 'b:3306': view('x', 'x-') },
      ['127.0.0.1:4001'],
    ],
  ])('%s', (_, answers, members) => {
    expect(found(answers).members).toEqual(members);
  });

  it('keeps the name of the primary where there are several', () => {
    const answers = { 'x:1': view('a', 'a* b'), 'y:1': view('a', 'a* b') };
    expect(found(answers, 'y:1').writable).toEqual(['y:1']);
    expect(found(answers, null).writable).toEqual(['x:1']);
  });
});

describe('an answer', () => {
  const row = {
    member_id: 'uuid-a',
    member_host: 'DB1.Example.com',
    member_port: 3306,
    member_state: 'ONLINE',
    member_role: 'PRIMARY',
    server_uuid: 'uuid-a',
    read_only: 0,
    super_read_only: 0,
    offline_mode: 0,
    view_id: '17640000000000000:12',
  };

  it('is read', () => {
    expect(read([row])).toEqual({
      server: 'uuid-a',
      group: '17640000000000000',
      sequence: 12,
      isReadOnly: false,
      isOffline: false,
      members: [
        { id: 'uuid-a', address: 'db1.example.com:3306', state: 'ONLINE', isPrimary: true },
      ],
    });
  });

  it.each<[reason: string, change: object, expected: object]>([
    ['read_only alone keeps writes out', { read_only: 1 }, { isReadOnly: true }],
    ['so does super_read_only', { super_read_only: 'ON' }, { isReadOnly: true }],
    ['offline_mode', { offline_mode: '1' }, { isOffline: true }],
    [
      'a plugin that was not started names nobody',
      { member_host: '', member_port: null },
      { members: [] },
    ],
    ['no view', { view_id: null }, { group: '', sequence: 0 }],
  ])('%s', (_, change, expected) => {
    expect(read([{ ...row, ...change }])).toMatchObject(expected);
  });

  it.each<[reason: string, rows: readonly Record<string, unknown>[]]>([
    ['no rows: no plugin', []],
    ['rows of something else', [{ a: 1 }]],
  ])('is none: %s', (_, rows) => {
    expect(read(rows)).toBeNull();
  });
});
