import { primary } from '@rwsplit/core';
import { hasReplicas } from './options.ts';
import { StockSeeder } from './stock.ts';

const { run } = StockSeeder.prototype;

/**
 * Runs the reads of seeds on the primary: they look what is there before they write. Seeds get the
 * instance as it is, so that nothing but the call tells that they run.
 */
export function putSeedsOnPrimary(): void {
  StockSeeder.prototype.run = function (config) {
    return hasReplicas(this.knex.client.config)
      ? primary(() => run.call(this, config))
      : run.call(this, config);
  };
}
