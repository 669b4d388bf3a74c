import { connect } from './sessions.ts';
import { slotOf } from './slot.ts';
import { StockTransaction } from './stock.ts';

/**
 * Connects to the primary before it begins. Knex goes on after a BEGIN that has failed, with a
 * transaction that refuses everything: its connections are open before it says BEGIN.
 */
export class ReplicatedTransaction extends StockTransaction {
  override async begin(connection: unknown): Promise<unknown> {
    await slotOf(connection)?.connect();
    return super.begin(connection);
  }
}
