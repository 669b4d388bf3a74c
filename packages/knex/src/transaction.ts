import { ReplicatedConnection } from '@rwsplit/core';
import { connect } from './sessions.ts';
import { StockTransaction } from './stock.ts';

/**
 * Connects to the primary before it begins. Knex goes on after a BEGIN that has failed, with a
 * transaction that refuses everything: its connections are open before it says BEGIN.
 *
 * What it is rolled back for is what it is rejected with. In Knex, the error of a ROLLBACK takes its place.
 */
export class ReplicatedTransaction extends StockTransaction {
  override async begin(connection: unknown): Promise<unknown> {
    if (connection instanceof ReplicatedConnection) {
      await connect(connection);
    }
    return super.begin(connection);
  }

  /** Nothing is left of a transaction whose ROLLBACK failed: its connection is gone, or reset when it is released. */
  override rollback(connection: unknown, error?: unknown): Promise<unknown> {
    keepError(this, error, () => true);
    return super.rollback(connection, error);
  }

  /** What the server itself refuses to undo is still there, and may be committed: that has to be told. */
  override rollbackTo(connection: unknown, error?: unknown): Promise<unknown> {
    keepError(this, error, (failure) => !isAnswer(failure));
    return super.rollbackTo(connection, error);
  }
}

/** @param isHarmless whether a failed ROLLBACK leaves nothing. */
function keepError(
  transaction: StockTransaction,
  error: unknown,
  isHarmless: (failure: unknown) => boolean,
): void {
  if (error === undefined) {
    return;
  }
  const { _rejecter: reject } = transaction;
  transaction._rejecter = (failure) => reject(isHarmless(failure) ? error : failure);
}

/** Whether it is what a server has said; others tell that its connection is gone. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && 'sqlState' in error;
}
