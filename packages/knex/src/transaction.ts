import { ReplicatedConnection } from '@rwsplit/core';
import { connect } from './sessions.ts';
import { StockTransaction } from './stock.ts';

/**
 * Connects to the primary before it begins. Knex goes on after a BEGIN that has failed, with a
 * transaction that refuses everything: its connections are open before it says BEGIN.
 */
export class ReplicatedTransaction extends StockTransaction {
  override async begin(connection: unknown): Promise<unknown> {
    if (connection instanceof ReplicatedConnection) {
      await connect(connection);
    }
    return super.begin(connection);
  }
}
