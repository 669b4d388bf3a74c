import { describe, expect, it } from 'vitest';
import { decide, type Situation } from '../../../packages/core/src/routing/decide.ts';
import { recoveryFrom } from '../../../packages/core/src/routing/recover.ts';
import { freshSession } from '../../../packages/core/src/session/state.ts';
import { hold, holding, open, prepared, says, session, written } from '../session/states.ts';

const locking = says('SELECT a FROM t FOR UPDATE');
const lastId = says('SELECT LAST_INSERT_ID()');

const plain: Situation = {
  facts: says('SELECT a FROM t'),
  state: freshSession,
  isAnswerable: false,
  forcePrimary: false,
  wasRefused: false,
  replicas: 2,
  isCatalogueBehind: false,
};

describe('decide', () => {
  it.each<[string, Partial<Situation>, string, string, string | null]>([
    ['a plain read', {}, 'replica', 'read', null],
    ['no replicas', { replicas: 0 }, 'primary', 'no-replicas', null],
    [
      'a change that is not known yet',
      { isCatalogueBehind: true },
      'primary',
      'catalogue-pending',
      null,
    ],
    [
      'no replicas before what one would need to know',
      { replicas: 0, isCatalogueBehind: true },
      'primary',
      'no-replicas',
      null,
    ],
    ['the hint', { forcePrimary: true }, 'primary', 'force-primary', null],
    [
      'the hint before what a replica says',
      { forcePrimary: true, wasRefused: true },
      'primary',
      'force-primary',
      null,
    ],
    ['a text that a replica refused', { wasRefused: true }, 'primary', 'fence', null],
    [
      'also without replicas: it went there before',
      { wasRefused: true, replicas: 0 },
      'primary',
      'fence',
      null,
    ],
    ['what the text needs', { facts: locking }, 'primary', 'locking-read', 'for'],
    ['text before hint', { facts: locking, forcePrimary: true }, 'primary', 'locking-read', 'for'],
    [
      'a transaction before all else',
      { state: open, facts: locking, forcePrimary: true },
      'current',
      'transaction',
      null,
    ],
    ['SET TRANSACTION binds what comes next', { state: prepared }, 'current', 'transaction', null],
    [
      'a transaction that may be over is one until the server says so',
      { state: session({ transaction: 'doubtful' }) },
      'current',
      'transaction',
      null,
    ],
    [
      'a transaction before state',
      { state: session({ transaction: 'open', holds: [hold('role')] }) },
      'current',
      'transaction',
      null,
    ],
    [
      'a pin before the text',
      { state: holding(hold('temporary-table', 't')), facts: locking },
      'current',
      'pinned:temporary-table',
      null,
    ],
    ['its own writes', { state: written }, 'current', 'pinned:has-written', null],
    [
      'a pin before what it asks',
      { state: written, facts: lastId, isAnswerable: true },
      'current',
      'pinned:has-written',
      null,
    ],
    [
      'a follow-up goes where the last statement went',
      { facts: lastId, isAnswerable: true },
      'current',
      'follow-up',
      'last_insert_id',
    ],
    [
      'a follow-up before the hint: the primary knows nothing of it',
      { facts: lastId, isAnswerable: true, forcePrimary: true },
      'current',
      'follow-up',
      'last_insert_id',
    ],
    [
      'a question without a connection that could answer it',
      { facts: lastId },
      'primary',
      'session-function',
      'last_insert_id',
    ],
    [
      'a read on a connection that could answer what it does not ask',
      { isAnswerable: true },
      'replica',
      'read',
      null,
    ],
    [
      'a question about the session is none about its statements',
      { facts: says('SELECT CONNECTION_ID()'), isAnswerable: true },
      'primary',
      'session-function',
      'connection_id',
    ],
  ])('%s', (_why, change, role, reason, word) => {
    expect(decide({ ...plain, ...change })).toEqual({ role, reason, word });
  });
});

describe('recoveryFrom', () => {
  const onReplica = {
    failure: 'connection',
    role: 'replica',
    isTied: false,
    isPlainRead: true,
    mayBePartial: false,
    hasAnswered: false,
    isExhausted: false,
  } as const;
  const read = { ...onReplica, role: 'primary' } as const;
  const write = { ...read, isPlainRead: false } as const;
  it.each([
    ['a broken replica: another one', onReplica, ['replica', null]],
    ['a replica that was not reached', { ...onReplica, failure: 'not-sent' }, ['replica', null]],
    ['a refused write: the primary', { ...onReplica, failure: 'read-only' }, ['primary', 'fence']],
    ['the same by the server', { ...onReplica, failure: 'demoted' }, ['primary', 'fence']],
    ['a lack: the primary', { ...onReplica, failure: 'differs' }, ['primary', 'replica-differs']],
    ['its own error', { ...onReplica, failure: 'statement' }, null],
    ['a timeout', { ...onReplica, failure: 'timeout' }, null],
    ['after a part of the answer', { ...onReplica, hasAnswered: true }, null],
    ['tied to its connection', { ...onReplica, isTied: true }, null],
    ['tried often enough', { ...onReplica, isExhausted: true }, null],
    ['a read that broke on the primary: anywhere', read, ['replica', null]],
    ['the same after a part of the answer', { ...read, hasAnswered: true }, null],
    ['a write that may have been sent', write, null],
    [
      'a write that a primary refused which is one no more',
      { ...write, failure: 'demoted' },
      ['primary', null],
    ],
    [
      'a part of which may have been carried out',
      { ...write, failure: 'demoted', mayBePartial: true },
      null,
    ],
    ['a write that was not sent', { ...write, failure: 'not-sent' }, ['primary', null]],
    ['the same too often', { ...write, failure: 'not-sent', isExhausted: true }, null],
    ['a write that ran in a read-only transaction', { ...write, failure: 'read-only' }, null],
    ['a write in a transaction', { ...write, failure: 'not-sent', isTied: true }, null],
    ['a primary that is one no more, in it', { ...write, failure: 'demoted', isTied: true }, null],
  ] as const)('%s', (_name, attempt, expected) => {
    const recovery = recoveryFrom(attempt);
    expect(recovery === null ? null : [recovery.role, recovery.reason]).toEqual(expected);
  });
});
