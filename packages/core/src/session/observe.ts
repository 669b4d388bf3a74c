import type { Answer, Dialect, Facts, StatePin } from '../statement/facts.ts';
import { hidesWrites } from './hidden-writes.ts';
import { endsTransaction } from './implicit-commit.ts';
import { onlyAsks } from './question.ts';
import type { Response } from './response.ts';
import {
  afterOther,
  afterTransactionLoss,
  isAutocommitOff,
  isInDoubt,
  type SessionState,
  type TransactionState,
  withHold,
  withoutFreed,
  withoutHolds,
} from './state.ts';

/** SERVER_STATUS_IN_TRANS and SERVER_STATUS_AUTOCOMMIT of the MySQL client/server protocol. */
const inTransaction = 1;
const autocommit = 2;

/**
 * Corrects the expected state by the server's answer. The flags of an OK packet are the truth:
 * they know of implicit commits, of `COMMIT AND CHAIN` and of `completion_type`.
 */
export function observe(
  expected: SessionState,
  facts: Facts,
  response: Response,
  dialect: Dialect,
): SessionState {
  let state = observeStatus(expected, facts, response.serverStatus);
  if (response.hasChangedState && !isExplained(facts)) {
    // Nothing in the text says so: a procedure or a trigger has set a variable.
    state = withHold(state, { pin: 'unknown-state', object: null });
  }
  if (facts.frees !== null) {
    state = withoutFreed(state, facts.frees);
  }
  const mayInsert = facts.kind === 'other' && facts.word !== 'set';
  if (mayInsert || facts.kind === 'write' || facts.kind === 'multiple') {
    state = observeInsert(state, facts, response);
  }
  state = observeHiddenWrites(state, facts, response);
  return withAnswers(state, answersOf(facts, dialect));
}

/** What a transaction hides, it hides until its end. */
function observeHiddenWrites(state: SessionState, facts: Facts, response: Response): SessionState {
  const isOpen = state.transaction !== 'none';
  const wasOpen = isOpen && !endsTransaction(facts);
  const hasHiddenWrites =
    (wasOpen && state.hasHiddenWrites) || (isOpen && hidesWrites(facts, response));
  return hasHiddenWrites === state.hasHiddenWrites ? state : { ...state, hasHiddenWrites };
}

/** Pins of which the tracker does not tell (measured): behind them it tells of something else. */
const untracked: ReadonlySet<StatePin | null> = new Set<StatePin | null>([
  null,
  'handler',
  'table-lock',
  'user-lock',
  'xa-transaction',
]);

/** Whether the text says of all state that the tracker may have seen. */
function isExplained({ pin, frees }: Facts): boolean {
  return !untracked.has(pin) || (frees !== null && !untracked.has(frees.pin));
}

function observeStatus(expected: SessionState, facts: Facts, status: number | null): SessionState {
  if (status === null) {
    // ANALYZE TABLE answers with rows.
    const isOver = expected.transaction === 'open' && endsTransaction(facts);
    return isOver && facts.kind !== 'begin' ? { ...expected, transaction: 'none' } : expected;
  }
  if (isInDoubt(expected)) {
    return observeDoubt(expected, status);
  }
  const transaction = transactionSeen(expected.transaction, status);
  const isOff = (status & autocommit) === 0;
  const wasOff = isAutocommitOff(expected);
  const state = transaction === expected.transaction ? expected : { ...expected, transaction };
  if (isOff === wasOff) {
    return state;
  }
  return isOff
    ? withHold(state, { pin: 'autocommit-off', object: null })
    : withoutHolds(state, ({ pin }) => pin === 'autocommit-off');
}

function transactionSeen(expected: TransactionState, status: number): TransactionState {
  if ((status & inTransaction) !== 0) {
    return 'open';
  }
  // No flag tells of a pending SET TRANSACTION.
  return expected === 'prepared' ? 'prepared' : 'none';
}

/** Statements behind which an insert id may have been generated that no answer tells. */
function observeInsert(state: SessionState, facts: Facts, response: Response): SessionState {
  if (response.insertId !== null) {
    return withAnswers(state, insertId);
  }
  return mayHideInsert(facts, response) && !state.mayHaveInserted
    ? { ...state, mayHaveInserted: true }
    : state;
}

/** CALL, EXECUTE, several statements, INSERT … RETURNING; but not UNLOCK TABLES. */
function mayHideInsert({ kind, pin, word }: Facts, { serverStatus }: Response): boolean {
  return kind === 'other'
    ? pin === 'unknown-state' || word === 'execute'
    : kind === 'multiple' || pin !== null || serverStatus === null;
}

const insertId: readonly Answer[] = ['insert-id'];
const rowCount: readonly Answer[] = ['row-count'];
const afterStatement: readonly Answer[] = ['row-count', 'diagnostics'];
const afterRead: readonly Answer[] = ['found-rows', 'row-count', 'diagnostics'];
const afterReadOfMariaDb: readonly Answer[] = ['found-rows', 'row-count'];
const nothing: readonly Answer[] = [];

/** Statements that surely touch a table, by their first words. */
const touching: ReadonlySet<string | null> = new Set(['delete', 'insert', 'replace', 'update']);

/**
 * What a statement surely answers from now on, whatever its connection said before. Measured on
 * MySQL 9.7 and MariaDB 10.11: every statement sets ROW_COUNT() but GET DIAGNOSTICS; FOUND_ROWS() is
 * only sure behind a read, and not behind EXPLAIN; MariaDB keeps the warnings of before behind
 * whatever touches no table.
 */
function answersOf(facts: Facts, dialect: Dialect): readonly Answer[] {
  if (facts.asks.includes('diagnostics')) {
    return facts.kind === 'other' ? nothing : rowCount;
  }
  if (facts.kind === 'read' && !facts.explains) {
    return dialect === 'mysql' ? afterRead : afterReadOfMariaDb;
  }
  return dialect === 'mysql' || touching.has(facts.word) ? afterStatement : rowCount;
}

/** The state with answers that the connection has now too. */
export function withAnswers(state: SessionState, more: readonly Answer[]): SessionState {
  if (state.answers.length === 0) {
    return more.length === 0 ? state : { ...state, answers: more };
  }
  const added = more.filter((answer) => !state.answers.includes(answer));
  return added.length === 0 ? state : { ...state, answers: [...state.answers, ...added] };
}

/**
 * The state after an error of the server. It says nothing of the transaction, and a statement that
 * failed may have done a part of its work: keep every pin, and doubt the transaction.
 */
export function observeError(
  before: SessionState,
  expected: SessionState,
  facts: Facts,
): SessionState {
  const transaction = transactionAfterError(before.transaction, facts);
  // An INSERT that fails at its second row has generated an id for the first (measured).
  const mayHaveInserted = expected.mayHaveInserted || !onlyReads(facts);
  return withAnswers({ ...expected, transaction, mayHaveInserted }, afterStatement);
}

function onlyReads({ kind, callsUnknown }: Facts): boolean {
  return !callsUnknown && kind !== 'write' && kind !== 'multiple' && kind !== 'other';
}

function transactionAfterError(before: TransactionState, facts: Facts): TransactionState {
  if (before !== 'open' && before !== 'perhaps-over') {
    return before;
  }
  if (endsTransaction(facts)) {
    return 'perhaps-over';
  }
  return before === 'open' ? 'doubtful' : before;
}

/** Whether a statement may be sent although nobody knows if its transaction is still there. */
export function bearsDoubt(facts: Facts): boolean {
  // ROLLBACK TO fails outside a transaction; SAVEPOINT does not.
  const { kind, word } = facts;
  return kind === 'begin' || word === 'rollback' || word === 'get' || onlyAsks(facts);
}

/** The state after the server was asked about a doubtful transaction, which is a statement too. */
export function afterAsking(state: SessionState, serverStatus: number | null): SessionState {
  return observeDoubt(afterOther(state), serverStatus);
}

function observeDoubt(state: SessionState, serverStatus: number | null): SessionState {
  if (serverStatus === null || (serverStatus & inTransaction) !== 0) {
    return { ...state, transaction: 'open' };
  }
  return state.transaction === 'perhaps-over'
    ? { ...state, transaction: 'none' }
    : afterTransactionLoss(state);
}
