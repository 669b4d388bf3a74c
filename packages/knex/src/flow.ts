import { type FlowStep, inStep, openStep } from '@rwsplit/core';
import type { Knex } from 'knex';
import { hasReplicas } from './options.ts';

/** The steps of builders: Knex runs them when they are awaited, in a flow that is not the caller's any more. */
const steps = new WeakMap<object, FlowStep>();

/** Notes where in the caller's flow a builder was made. */
export function inFlow<Builder extends object>(client: Knex.Client, builder: Builder): Builder {
  const step = hasReplicas(client.config) ? openStep() : null;
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
export function asStep<Result>(client: Knex.Client, run: () => Result): Result {
  const step = hasReplicas(client.config) ? openStep() : null;
  return step === null ? run() : inStep(step, run);
}
