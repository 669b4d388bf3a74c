import { describe, expect, it } from 'vitest';
import {
  declaredPure,
  type Findings,
  learned,
  nothingKnown,
  shadowingFunctions,
  unsafeTables,
} from '../../../packages/core/src/catalogue/knowledge.ts';

type Step = readonly [
  'timed' | 'seen' | 'in part',
  Partial<Record<keyof Findings, readonly string[]>>,
];

function knownAfter(...steps: readonly Step[]) {
  const knowledge = steps.reduce((known, [cause, found]) => {
    const tables = (found.tables ?? []).map(
      (name) => ({ name, reason: 'unreadable', word: null }) as const,
    );
    const none = { shadowing: [], declaredPure: [], otherFunctions: [] };
    const how = { isTimed: cause !== 'seen', isWhole: cause !== 'in part' };
    return learned(known, { ...none, ...found, tables }, how);
  }, nothingKnown);
  return {
    tables: unsafeTables(knowledge).map(({ name, reason }) => `${name} ${reason}`),
    shadowing: shadowingFunctions(knowledge),
    pure: declaredPure(knowledge),
  };
}

describe('what is known after several readings', () => {
  const v = { tables: ['db.V'] };
  it.each<[string, readonly Step[], readonly string[]]>([
    ['nothing before the first', [], []],
    ['what the last one found', [['timed', v]], ['db.V unreadable']],
    [
      'what is gone counts on',
      [
        ['timed', v],
        ['timed', {}],
      ],
      ['db.v former'],
    ],
    [
      'what could not be read is as before',
      [
        ['timed', v],
        ['in part', {}],
        ['in part', { tables: ['db.w'] }],
      ],
      ['db.w unreadable', 'db.V unreadable'],
    ],
    [
      'until the second timed one after it',
      [
        ['timed', v],
        ['timed', {}],
        ['timed', {}],
      ],
      ['db.v former'],
    ],
    [
      'and no longer',
      [
        ['timed', v],
        ['timed', {}],
        ['timed', {}],
        ['timed', {}],
      ],
      [],
    ],
    [
      'however many changes are seen in between',
      [
        ['timed', v],
        ['seen', {}],
        ['seen', {}],
        ['seen', {}],
        ['timed', {}],
      ],
      ['db.v former'],
    ],
    [
      'what came back is no former one',
      [
        ['timed', v],
        ['seen', {}],
        ['seen', v],
      ],
      ['db.V unreadable'],
    ],
  ])('%s', (_, steps, expected) => {
    expect(knownAfter(...steps).tables).toEqual(expected);
  });

  it('keeps functions that shadowed a built-in one as well', () => {
    expect(knownAfter(['timed', { shadowing: ['crc32'] }], ['seen', {}]).shadowing).toEqual([
      'crc32',
    ]);
  });

  it('does not trust a function that was declared otherwise until replicas must have the new one', () => {
    const otherwise: Step = ['timed', { otherFunctions: ['db.f'] }];
    const declared: Step = ['seen', { declaredPure: ['db.f', 'db.g'] }];
    const timed: Step = ['timed', { declaredPure: ['db.f', 'db.g'] }];
    expect(knownAfter(declared).pure).toEqual(['db.f', 'db.g']);
    expect(knownAfter(otherwise, declared).pure).toEqual(['db.g']);
    expect(knownAfter(otherwise, declared, timed).pure).toEqual(['db.g']);
    expect(knownAfter(otherwise, declared, timed, timed).pure).toEqual(['db.f', 'db.g']);
  });
});
