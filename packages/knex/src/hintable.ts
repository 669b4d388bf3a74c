import { forcePrimary } from './force-primary.ts';
import { StockRaw, StockSchemaBuilder } from './stock.ts';
import { useReplica } from './use-replica.ts';

/** Raw queries of this client. Knex has no way to give all of them a method, and those of others are others'. */
export class HintableRaw extends StockRaw {
  override forcePrimary(): this {
    return forcePrimary(this);
  }

  override useReplica(group?: string): this {
    return useReplica(this, group);
  }
}

/** Schema builders of this client. Knex's types know the methods of both already. */
export class HintableSchemaBuilder extends StockSchemaBuilder {
  override forcePrimary(): this {
    return forcePrimary(this);
  }

  override useReplica(group?: string): this {
    return useReplica(this, group);
  }
}
