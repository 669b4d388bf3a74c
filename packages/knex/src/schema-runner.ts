import { ReplicatedConnection } from '@rwsplit/core';
import { HintedRunner } from './runner.ts';
import { asKnexTells, connect } from './sessions.ts';
import type { Streaming } from './stock.ts';

type Run = (runner: unknown, streaming?: Streaming) => unknown;

/**
 * Runs schema builders. They are about the primary, so that one that cannot be reached is the error of their
 * connection, in mysql2's words, even if replicas can.
 */
export class SchemaRunner extends HintedRunner {
  override ensureConnection(run: Run, streaming?: Streaming): Promise<unknown> {
    const connected: Run = async (runner, given) => {
      const { connection } = this;
      if (connection instanceof ReplicatedConnection) {
        await connect(connection).catch((error: unknown) => {
          throw asKnexTells(error);
        });
      }
      return run(runner, given);
    };
    return super.ensureConnection(connected, streaming);
  }
}
