/**
 * Changes the classifier, the state of sessions and the routing in a thousand small ways, one at a
 * time, and runs the pure tests against each:
 *
 *     npm run test:mutation [-- --files lexer.ts,calls.ts] [--workers n]
 *
 * Prints the mutants that no test notices. Exit code 1 if one of them is not explained in
 * `equivalents.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { equivalents } from './equivalents.ts';

/**
 * Data; types; and what these tests do without or leave to slower ones: the parser, the memory,
 * texts of any length.
 */
const leftOut = new Set([
  'keywords.ts',
  'facts.ts',
  'verdicts.ts',
  'failure.ts',
  'classifier.ts',
  'memo.ts',
  'text.ts',
  'veto.ts',
  'syntax-tree.ts',
  'table-names.ts',
  'fingerprint.ts',
]);

type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const { values } = parseArgs({
  options: { files: { type: 'string' }, workers: { type: 'string', default: '2' } },
});

const wanted = values.files === undefined ? undefined : new Set(values.files.split(','));

const results: MutantResult[] = [];
const open: MutantResult[] = [];
for (const path of everything()) {
  if (wanted !== undefined && !wanted.has(basename(path))) continue;
  // One file at a time: what is instrumented is slow.
  const stryker = new Stryker({
    configFile: 'scripts/mutation/stryker.config.json',
    concurrency: Number(values.workers),
    mutate: [path],
  });
  const mutants = await stryker.runMutationTest();
  const survivors = mutants.filter(isUnnoticed).filter((each) => !isExplained(each));
  for (const mutant of survivors) console.log(describe(mutant));
  results.push(...mutants);
  open.push(...survivors);
}

const explained = results.filter(isUnnoticed).length - open.length;
const noticed = results.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
const score = (100 * noticed) / (noticed + open.length);
console.log(
  `${results.length} mutants: ${noticed} noticed, ${explained} explained, ${open.length} open; ` +
    `score ${score.toFixed(1)} % of those that can be noticed`,
);
process.exitCode = open.length > 0 ? 1 : 0;

function everything(): string[] {
  return ['routing', 'session', 'statement'].flatMap((folder) =>
    readdirSync(`packages/core/src/${folder}`)
      .filter((file) => file.endsWith('.ts') && !leftOut.has(file))
      .map((file) => `packages/core/src/${folder}/${file}`),
  );
}

function isUnnoticed({ status }: MutantResult): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

function isExplained(mutant: MutantResult): boolean {
  const line = lineOf(mutant);
  return equivalents.some(
    (each) =>
      each.file === basename(mutant.fileName) &&
      line.includes(each.line) &&
      (each.replacement ?? mutant.replacement) === mutant.replacement,
  );
}

/** The source line that the mutant changes first. */
function lineOf({ fileName, location }: MutantResult): string {
  return readFileSync(fileName, 'utf8').split('\n')[location.start.line - 1]?.trim() ?? '';
}

function describe(mutant: MutantResult): string {
  const { fileName, location, replacement, status } = mutant;
  const place = `${relative('.', fileName)}:${location.start.line}:${location.start.column}`;
  return `${status} ${place}\n  ${lineOf(mutant)}\n  → ${replacement ?? ''}`;
}
