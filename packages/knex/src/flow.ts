import { type FlowStep, followFlows, inStep, openStep } from '@rwsplit/core';
import { StockQueryBuilder } from './stock.ts';

/**
 * The steps of builders in the flows of those who made them: Knex runs a builder when it is awaited,
 * and then it is in nobody's flow any more.
 */
const steps = new WeakMap<object, FlowStep>();

/** Notes where in the caller's flow a builder was made. */
export function inFlow<Builder extends object>(builder: Builder): Builder {
  const step = openStep();
  if (step !== null) {
    steps.set(builder, step);
  }
  return builder;
}

/** Runs what runs a builder, where the builder was made. */
export function runInFlow<Result>(builder: object, run: () => Result): Result {
  const step = steps.get(builder);
  return step === undefined ? run() : inStep(step, run);
}

/** Runs what begins a transaction as one statement of the caller's flow. */
export function asStep<Result>(run: () => Result): Result {
  followFlows();
  const step = openStep();
  return step === null ? run() : inStep(step, run);
}

/** Raw queries that somebody may ask about; other raw texts are mostly parts of queries. */
const askedAbout = /^\s*(?:call|delete|insert|load|replace|update)\b|\bsql_calc_found_rows\b/i;

/** A raw query; from the first one that somebody may ask about, flows are followed. */
export function rawInFlow<Raw extends object>(sql: unknown, raw: Raw): Raw {
  if (typeof sql === 'string' && askedAbout.test(sql)) {
    followFlows();
  }
  return inFlow(raw);
}

/** Knex's builder; from the first one that writes, flows are followed. */
export class FlowingQueryBuilder extends StockQueryBuilder {
  override insert(...given: unknown[]): unknown {
    writes(this);
    return super.insert(...given);
  }

  override upsert(...given: unknown[]): unknown {
    writes(this);
    return super.upsert(...given);
  }

  override update(...given: unknown[]): unknown {
    writes(this);
    return super.update(...given);
  }

  override increment(...given: unknown[]): unknown {
    writes(this);
    return super.increment(...given);
  }

  override decrement(...given: unknown[]): unknown {
    writes(this);
    return super.decrement(...given);
  }

  override delete(...given: unknown[]): unknown {
    writes(this);
    return super.delete(...given);
  }

  /** Another name of `delete`. */
  del(...given: unknown[]): unknown {
    return this.delete(...given);
  }

  override truncate(...given: unknown[]): unknown {
    writes(this);
    return super.truncate(...given);
  }
}

function writes(builder: object): void {
  followFlows();
  if (!steps.has(builder)) {
    inFlow(builder);
  }
}
