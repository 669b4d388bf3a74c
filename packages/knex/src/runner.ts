import { runInFlow } from './flow.ts';
import { addHint, wantsPrimary } from './force-primary.ts';
import { type CompiledStatement, StockRunner, type WithOptions } from './stock.ts';

/**
 * Takes the hints of a builder along to its statements. Of a schema builder and of a query context,
 * Knex itself hands nothing to the connection, and of a stream's query context not even to the client.
 */
export class HintedRunner extends StockRunner {
  override query(statement: CompiledStatement | string): Promise<unknown> {
    if (typeof statement === 'object' && this.#isForThePrimary()) {
      addHint(statement);
    }
    return super.query(statement);
  }

  /** @param parameters given for streams alone, whose options reach the client. */
  override ensureConnection(run: unknown, parameters?: WithOptions): Promise<unknown> {
    if (parameters !== undefined && this.#isForThePrimary()) {
      addHint(parameters);
    }
    return runInFlow(this.builder, () => super.ensureConnection(run, parameters));
  }

  #isForThePrimary(): boolean {
    return wantsPrimary(this.builder) || this.#isMigrating();
  }

  /**
   * Whether a migrator reads its own tables, under whatever names: for as long, and at no other time,
   * Knex has both hooks at null (`disableProcessing` in its make-knex.js), not undefined.
   */
  #isMigrating(): boolean {
    const { wrapIdentifier, postProcessResponse } = this.client.config;
    return isNull(wrapIdentifier) && isNull(postProcessResponse);
  }
}

function isNull(value: unknown): boolean {
  return value === null;
}
