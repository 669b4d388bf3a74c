import { describe, expect, it } from 'vitest';
import { decide, type Situation } from '../../../packages/core/src/routing/decide.ts';
import { recoveryFrom } from '../../../packages/core/src/routing/recover.ts';
import { freshSession } from '../../../packages/core/src/session/state.ts';
import type { Facts } from '../../../packages/core/src/statement/facts.ts';

const read: Facts = {
  kind: 'read',
  reason: null,
  word: null,
  pin: null,
  followUp: null,
  callsUnknown: false,
  hint: null,
};
const locking: Facts = { ...read, reason: 'locking-read', word: 'for' };
const foundRows: Facts = {
  ...read,
  reason: 'session-function',
  word: 'found_rows',
  followUp: 'previous',
};

const plain: Situation = {
  facts: read,
  state: freshSession,
  holdsConnection: false,
  forcePrimary: false,
  wasRefused: false,
  replicas: 2,
  isCatalogueBehind: false,
};

describe('decide', () => {
  it.each<[string, Partial<Situation>, string, string]>([
    ['a plain read', {}, 'replica', 'read'],
    ['no replicas', { replicas: 0 }, 'primary', 'no-replicas'],
    ['a change that is not known yet', { isCatalogueBehind: true }, 'primary', 'catalogue-pending'],
    ['the hint', { forcePrimary: true }, 'primary', 'force-primary'],
    ['a text that a replica refused', { wasRefused: true }, 'primary', 'fence'],
    ['what the text needs', { facts: locking }, 'primary', 'locking-read'],
    ['text before hint', { facts: locking, forcePrimary: true }, 'primary', 'locking-read'],
    [
      'a transaction before all else',
      { state: { ...freshSession, transaction: 'open' }, facts: locking, forcePrimary: true },
      'current',
      'transaction',
    ],
    [
      'SET TRANSACTION binds what comes next',
      { state: { ...freshSession, transaction: 'prepared' } },
      'current',
      'transaction',
    ],
    [
      'a pin before the text',
      { state: { ...freshSession, pin: 'temporary-table', dirty: true }, facts: locking },
      'current',
      'pinned:temporary-table',
    ],
    [
      'its own writes',
      { state: { ...freshSession, pin: 'has-written' } },
      'current',
      'pinned:has-written',
    ],
    [
      'a follow-up goes where the last statement went',
      { facts: foundRows, holdsConnection: true },
      'current',
      'follow-up',
    ],
    [
      'a follow-up with nothing before it',
      { facts: foundRows, holdsConnection: false },
      'primary',
      'session-function',
    ],
    [
      'a follow-up that leaves state must not leave it on a replica',
      { facts: { ...foundRows, pin: 'user-lock' }, holdsConnection: true },
      'primary',
      'session-function',
    ],
    [
      'a follow-up that locks must not run on a replica',
      { facts: { ...foundRows, reason: 'locking-read' }, holdsConnection: true },
      'primary',
      'locking-read',
    ],
    [
      'a warning is where the last statement was',
      { facts: { ...foundRows, reason: 'show' }, holdsConnection: true },
      'current',
      'follow-up',
    ],
    [
      'and its count too',
      { facts: { ...foundRows, reason: 'system-variable' }, holdsConnection: true },
      'current',
      'follow-up',
    ],
    [
      'a question about the last insert is none about the last statement',
      { facts: { ...foundRows, followUp: 'insert' }, holdsConnection: true },
      'primary',
      'session-function',
    ],
    [
      'a question about the session neither',
      { facts: { ...foundRows, followUp: null }, holdsConnection: true },
      'primary',
      'session-function',
    ],
  ])('%s', (_name, change, role, reason) => {
    expect(decide({ ...plain, ...change })).toMatchObject({ role, reason });
  });
});

describe('recoveryFrom', () => {
  const onReplica = {
    failure: 'connection',
    role: 'replica',
    isTied: false,
    hasAnswered: false,
    hasRetried: false,
  } as const;
  it.each([
    ['a broken replica: another one', onReplica, { role: 'replica', reason: null }],
    [
      'a replica that was not reached: another one',
      { ...onReplica, failure: 'not-sent' },
      { role: 'replica', reason: null },
    ],
    [
      'a refused write: the primary',
      { ...onReplica, failure: 'read-only' },
      { role: 'primary', reason: 'fence' },
    ],
    [
      'a lacking replica: the primary',
      { ...onReplica, failure: 'differs' },
      { role: 'primary', reason: 'replica-differs' },
    ],
    ['its own error', { ...onReplica, failure: 'statement' }, null],
    ['a timeout', { ...onReplica, failure: 'timeout' }, null],
    ['after a part of the answer', { ...onReplica, hasAnswered: true }, null],
    ['tied to its connection', { ...onReplica, isTied: true }, null],
    ['a write that may have been sent', { ...onReplica, role: 'primary' }, null],
    [
      'a write that was not sent',
      { ...onReplica, role: 'primary', failure: 'not-sent' },
      { role: 'primary', reason: null },
    ],
    [
      'a write that was not sent, twice',
      { ...onReplica, role: 'primary', failure: 'not-sent', hasRetried: true },
      null,
    ],
    [
      'a refusal of the primary itself',
      { ...onReplica, role: 'primary', failure: 'read-only' },
      null,
    ],
    [
      'inside a transaction',
      { ...onReplica, role: 'primary', failure: 'not-sent', isTied: true },
      null,
    ],
  ] as const)('%s', (_name, attempt, recovery) => {
    expect(recoveryFrom(attempt)).toEqual(recovery);
  });
});
