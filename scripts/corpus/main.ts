/**
 * Judges the classifier by the servers' own test suites:
 *
 *     pnpm test:corpus [--flavor mysql|mariadb] [--sample files] [--seed n] [--files part-of-name]
 *         [--workers n] [--record file]
 *     pnpm test:corpus [--score recording …] [--catalogue recording …]
 *
 * `--record` keeps what the server showed: a run that was cut off goes on, and `--score` holds it
 * against the classifier as it is now, without a server. A recording is of one flavor.
 * `--catalogue` replays its files in which a hazard goes to a replica, and tells what a pool that
 * has read the catalogue makes of each.
 *
 * Exit code 1 if a bar is missed. Complete, it takes the better part of an hour on two cores.
 */
import { parseArgs } from 'node:util';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import {
  filesWithHazards,
  isMissed,
  probeHazards,
  probeReport,
} from '../../test/corpus/catalogue.ts';
import { compiledByKnex, compiledByKysely } from '../../test/corpus/compiled.ts';
import { Recording, readHeading } from '../../test/corpus/recording.ts';
import { missedBars, report } from '../../test/corpus/report.ts';
import { headingOf, measureSuite, runCorpus, scoreRecording } from '../../test/corpus/run.ts';
import type { Figures } from '../../test/corpus/tally.ts';
import { type Flavor, flavors } from '../../test/support/servers/flavor.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    files: { type: 'string' },
    workers: { type: 'string', default: '2' },
    record: { type: 'string' },
    score: { type: 'string', multiple: true },
    catalogue: { type: 'string', multiple: true },
  },
});

const chosen = flavors.filter((flavor) => values.flavor === undefined || values.flavor === flavor);
if (chosen.length === 0) throw new Error(`--flavor is one of ${flavors.join(', ')}`);
if (values.record !== undefined && chosen.length > 1) throw new Error('--record needs a --flavor');

function reportCompiled(flavor: Flavor): void {
  const classifier = createClassifier({ dialect: flavor });
  for (const [library, compile] of [
    ['Knex', compiledByKnex],
    ['Kysely', compiledByKysely],
  ] as const) {
    const texts = compile();
    const kept = texts.filter((text) => classifier.classify(text).reason !== null);
    console.log(
      `compiled by ${library}: ${texts.length - kept.length} of ${texts.length} to a replica`,
    );
    for (const text of kept) console.log(`  ${classifier.classify(text).reason} ${text}`);
    if (kept.length > 0) process.exitCode = 1;
  }
}

function print(title: string, figures: Figures): void {
  console.log(report(title, figures));
  const missed = missedBars(figures);
  if (missed.length === 0) return;
  process.exitCode = 1;
  console.log(`BAR MISSED: ${missed.join(', ')}`);
}

async function replaySuite(flavor: Flavor): Promise<void> {
  const { record, sample, files, seed, workers } = values;
  const started = performance.now();
  const recording =
    record === undefined ? undefined : await Recording.open(record, await headingOf(flavor));
  const figures = await runCorpus({
    flavor,
    seed: Number(seed),
    workers: Number(workers),
    ...(recording === undefined ? {} : { recording }),
    ...(sample === undefined ? {} : { sample: Number(sample) }),
    ...(files === undefined ? {} : { files }),
    onFile: (done, of) => {
      if (done % 100 === 0) console.error(`${flavor}: ${done} of ${of} files`);
    },
  });
  print(flavor, figures);
  const extent = await measureSuite(flavor);
  console.log(
    `extracted ${extent.statements} statements, ${extent.distinct} distinct, from ${extent.files} ` +
      `files; ${extent.withVariable} more hold a variable of the test`,
  );
  console.log(`took ${Math.round((performance.now() - started) / 1000)} s`);
  reportCompiled(flavor);
}

async function scoreAgain(path: string): Promise<void> {
  const { flavor, server, suite, files, day } = await readHeading(path);
  const title = `${flavor} ${server}, test suite ${suite} of ${files} files, replayed ${day}`;
  print(title, await scoreRecording(path));
  reportCompiled(flavor);
}

async function probeAgain(path: string): Promise<void> {
  const { flavor } = await readHeading(path);
  const roots = await filesWithHazards(path);
  const hazards = await probeHazards(flavor, roots);
  console.log(probeReport(`${flavor}, ${roots.size} files`, hazards));
  if (hazards.some(isMissed)) process.exitCode = 1;
}

const { score = [], catalogue = [] } = values;
for (const path of score) await scoreAgain(path);
for (const path of catalogue) await probeAgain(path);
if (score.length + catalogue.length === 0) for (const flavor of chosen) await replaySuite(flavor);
