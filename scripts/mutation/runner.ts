import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { INSTRUMENTER_CONSTANTS, type MutantCoverage } from '@stryker-mutator/api/core';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  type DryRunResult,
  DryRunStatus,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  type TestRunnerCapabilities,
  TestStatus,
} from '@stryker-mutator/api/test-runner';
import type { PureTest } from './shim.ts';

/*
 * Runs the pure tests in Stryker's own process, again and again: with a test runner that loads
 * them anew for each mutant, three thousand mutants take hours.
 */

/** Files below `test/core` whose tests need no server, no clock and no parser. */
const files = [
  'statement/refusals',
  'statement/safe-reads',
  'statement/statements',
  'statement/readings',
  'statement/placeholders',
  'statement/catalogue-names',
  'statement/text',
  'statement/survivors',
  'statement/session-objects',
  'functions/clauses',
  'functions/counts',
  'functions/versions',
  'routing/decide',
  'routing/follow-up',
  'session/state',
  'session/predict',
  'session/observe',
  'session/implicit-commit',
  'session/question',
];

/** Thousands of random cases, and long texts: what they find is a row of its own. */
const slow = /^(?:whatever mysql2 puts|the characters of a text|many of them)/;

/** Not part of the check that a mutant has left nothing behind. */
const long = /^(?:many |a text after another)/;

/** What the instrumented sources look at. */
interface MutantSwitch {
  activeMutant?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  currentTestId?: string | undefined;
  mutantCoverage?: MutantCoverage;
}

const mutants: MutantSwitch = {};
Object.assign(globalThis, { [INSTRUMENTER_CONSTANTS.NAMESPACE]: mutants });

class PureTestRunner implements TestRunner {
  #tests: readonly PureTest[] | undefined;
  #isSpoiled = false;

  capabilities(): TestRunnerCapabilities {
    return { reloadEnvironment: false };
  }

  async dryRun(): Promise<DryRunResult> {
    const tests: TestResult[] = [];
    for (const { name, run } of await this.#load()) {
      mutants.currentTestId = name;
      const started = performance.now();
      const failure = failureOf(run);
      const timeSpentMs = performance.now() - started;
      const result = { id: name, name, timeSpentMs };
      if (failure === null) tests.push({ ...result, status: TestStatus.Success });
      else tests.push({ ...result, status: TestStatus.Failed, failureMessage: failure });
    }
    mutants.currentTestId = undefined;
    const { mutantCoverage } = mutants;
    return {
      status: DryRunStatus.Complete,
      tests,
      ...(mutantCoverage === undefined ? {} : { mutantCoverage }),
    };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    // Stryker then starts another process.
    if (this.#isSpoiled) throw new Error('the last mutant has left something behind');
    const { activeMutant, mutantActivation, hitLimit, testFilter } = options;
    if (mutantActivation === 'static') mutants.activeMutant = activeMutant.id;
    const tests = await this.#load();
    Object.assign(mutants, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    const chosen = testFilter === undefined ? null : new Set(testFilter);
    const result = firstFailure(tests.filter(({ name }) => chosen === null || chosen.has(name)));
    Object.assign(mutants, { activeMutant: undefined, hitLimit: undefined });
    const isEndless = hitLimit !== undefined && (mutants.hitCount ?? 0) > hitLimit;
    const quick = tests.filter(({ name }) => !long.test(name));
    this.#isSpoiled =
      mutantActivation === 'static' || firstFailure(quick).status === MutantRunStatus.Killed;
    return isEndless ? { status: MutantRunStatus.Timeout } : result;
  }

  /** The tests of the sandbox, in which the process is. */
  async #load(): Promise<readonly PureTest[]> {
    if (this.#tests !== undefined) return this.#tests;
    const here = join(process.cwd(), 'scripts/mutation');
    const shim = pathToFileURL(join(here, 'shim.ts')).href;
    register(hooks(shim, pathToFileURL(join(here, 'no-memory.ts')).href));
    await import(pathToFileURL(join(here, 'no-parser.ts')).href);
    for (const file of files) {
      await import(pathToFileURL(join(process.cwd(), `test/core/${file}.test.ts`)).href);
    }
    const { tests } = (await import(shim)) as { tests: readonly PureTest[] };
    const names = new Set<string>();
    this.#tests = tests.filter(({ name }) => {
      const isNew = !names.has(name) && !slow.test(name);
      names.add(name);
      return isNew;
    });
    return this.#tests;
  }
}

/** Hooks run in a thread of their own, as JavaScript. */
function hooks(shim: string, noMemory: string): string {
  const replaced = JSON.stringify({ vitest: shim, './memo.ts': noMemory });
  const source = `export function resolve(specifier, context, next) {
    return next(${replaced}[specifier] ?? specifier, context);
  }`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

function firstFailure(tests: readonly PureTest[]): MutantRunResult {
  for (const [index, { name, run }] of tests.entries()) {
    const failureMessage = failureOf(run);
    if (failureMessage === null) continue;
    return {
      status: MutantRunStatus.Killed,
      killedBy: [name],
      failureMessage,
      nrOfTests: index + 1,
    };
  }
  return { status: MutantRunStatus.Survived, nrOfTests: tests.length };
}

function failureOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return String(error);
  }
}

/** What Stryker looks for in a plugin. */
export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'pure', PureTestRunner)];
