import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

/*
 * As much of vitest as the pure tests use, for running them a thousand times in one process. The
 * expectations are vitest's own.
 */

type Body = (...row: readonly unknown[]) => unknown;

/** A test that has been registered. */
export interface PureTest {
  readonly name: string;
  readonly run: () => unknown;
}

export const tests: PureTest[] = [];

const groups: string[] = [];

export function describe(title: string, body: () => void): void {
  groups.push(title);
  body();
  groups.pop();
}

describe.each = (rows: readonly unknown[]) => (title: string, body: Body) => {
  for (const row of rows) describe(titleOf(title, row), () => body(...argumentsOf(row)));
};

export function it(title: string, body: () => unknown): void {
  tests.push({ name: [...groups, title].join(' > '), run: body });
}

it.each = (rows: readonly unknown[]) => (title: string, body: Body) => {
  for (const row of rows) it(titleOf(title, row), () => body(...argumentsOf(row)));
};

function argumentsOf(row: unknown): readonly unknown[] {
  return Array.isArray(row) ? row : [row];
}

function titleOf(title: string, row: unknown): string {
  return format(title, ...argumentsOf(row));
}

const vitest = createRequire(createRequire(import.meta.url).resolve('vitest/package.json'));
const { chai, JestChaiExpect, JestExtend, JestAsymmetricMatchers } = await import(
  pathToFileURL(vitest.resolve('@vitest/expect')).href
);
for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export const expect = chai.expect;
