/**
 * Judges the classifier by the servers' own test suites:
 *
 *     pnpm test:corpus [--flavor mysql|mariadb] [--sample files] [--seed n] [--files part-of-name]
 *
 * Exit code 1 if a bar is missed. Complete, it takes the better part of an hour on two cores.
 */
import { parseArgs } from 'node:util';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import { compiledByKnex, compiledByKysely } from '../../test/corpus/compiled.ts';
import { missedBars, report } from '../../test/corpus/report.ts';
import { measureSuite, runCorpus } from '../../test/corpus/run.ts';
import { type Flavor, flavors } from '../../test/support/servers/flavor.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    files: { type: 'string' },
    workers: { type: 'string', default: '2' },
  },
});

const chosen = flavors.filter((flavor) => values.flavor === undefined || values.flavor === flavor);
if (chosen.length === 0) throw new Error(`--flavor is one of ${flavors.join(', ')}`);

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

for (const flavor of chosen) {
  const started = performance.now();
  const figures = await runCorpus({
    flavor,
    seed: Number(values.seed),
    workers: Number(values.workers),
    ...(values.sample === undefined ? {} : { sample: Number(values.sample) }),
    ...(values.files === undefined ? {} : { files: values.files }),
    onFile: (done, of) => {
      if (done % 100 === 0) console.error(`${flavor}: ${done} of ${of} files`);
    },
  });
  console.log(report(flavor, figures));
  const extent = await measureSuite(flavor);
  console.log(
    `extracted ${extent.statements} statements, ${extent.distinct} distinct, from ${extent.files} ` +
      `files; ${extent.withVariable} more hold a variable of the test`,
  );
  console.log(`took ${Math.round((performance.now() - started) / 1000)} s`);
  reportCompiled(flavor);
  const missed = missedBars(figures);
  if (missed.length > 0) {
    process.exitCode = 1;
    console.log(`BAR MISSED: ${missed.join(', ')}`);
  }
}
