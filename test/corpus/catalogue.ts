import { findNames } from '../../packages/core/src/catalogue/find-names.ts';
import { nothingKnown } from '../../packages/core/src/catalogue/knowledge.ts';
import type { CatalogueRows } from '../../packages/core/src/catalogue/rows.ts';
import { LearnedVersions } from '../../packages/core/src/catalogue/server-versions.ts';
import { type Classifier, createClassifier } from '../../packages/core/src/statement/classifier.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { Bench } from './bench.ts';
import { readHeading, readRecording } from './recording.ts';
import { replay } from './replay.ts';
import { place } from './report.ts';
import { explain, type Residual } from './residual.ts';
import { type Judged, judgeText } from './score.ts';
import { openSuite } from './suite.ts';

/** A hazard that goes to a replica as far as its text tells. */
export interface ProbedHazard {
  /** With what its text tells. */
  readonly judged: Judged;
  readonly explanation: Residual | undefined;
  /** The name that the catalogue keeps it on the primary for; `null` if it does not. */
  readonly caughtFor: string | null;
}

/** Replays files, and asks the catalogue for every hazard that goes to a replica without it. */
export async function probeHazards(
  flavor: Flavor,
  roots: Iterable<string>,
): Promise<ProbedHazard[]> {
  const suite = await openSuite(flavor);
  await using bench = await Bench.open(flavor);
  const byText = createClassifier({ dialect: flavor });
  const found: ProbedHazard[] = [];
  for (const root of roots) {
    await replay(bench, suite.expand(root), new Map(), async (read) => {
      const judged = judgeText(read, byText);
      if (read.verdict.kind !== 'hazard' || judged.facts.reason !== null) return;
      const { reason, word } = (await classifierFor(await bench.catalogue())).classify(read.sql);
      const caughtFor = reason === null ? null : (word ?? reason);
      found.push({ judged, explanation: explain(flavor, judged), caughtFor });
    });
  }
  return found;
}

/**
 * Whether the catalogue should have caught a hazard. What `SET sql_auto_is_null` does to a session
 * is in no catalogue: that statement keeps the rest of its session on the primary.
 */
export function isMissed({ caughtFor, explanation }: ProbedHazard): boolean {
  return caughtFor === null && explanation !== 'sql_auto_is_null' && explanation !== 'tie';
}

/** All hazards, with what the catalogue makes of each, as lines of text. */
export function probeReport(title: string, hazards: readonly ProbedHazard[]): string {
  const caught = hazards.filter(({ caughtFor }) => caughtFor !== null).length;
  const lines = hazards.map((hazard) => {
    const { judged, explanation, caughtFor } = hazard;
    const outcome = caughtFor === null ? 'not caught' : `caught for ${caughtFor}`;
    return `  ${isMissed(hazard) ? 'MISSED' : outcome} (${explanation ?? 'unexplained'}) ${place(judged)}`;
  });
  const missed = hazards.filter(isMissed).length;
  return [
    `== ${title}, with the catalogue`,
    `hazards that no text shows ${hazards.length}, caught ${caught}, missed ${missed} (bar 0)`,
    ...new Set(lines),
  ].join('\n');
}

/** The classifier of a pool that has read this and nothing before. */
async function classifierFor(rows: CatalogueRows): Promise<Classifier> {
  const versions = new LearnedVersions(null);
  versions.learn(rows.version);
  const { servers } = versions;
  const circumstances = { servers, options: {}, ownDatabase: null, before: nothingKnown };
  const { tables, shadowing } = await findNames(rows, circumstances);
  return createClassifier({
    ...servers,
    catalogue: { unsafeTables: tables.map(({ name }) => name), shadowingFunctions: shadowing },
  });
}

/** Files of a recording in which a hazard goes to a replica as far as its text tells. */
export async function filesWithHazards(recording: string): Promise<Set<string>> {
  const { flavor } = await readHeading(recording);
  const classifier = createClassifier({ dialect: flavor });
  const roots = new Set<string>();
  for await (const { root, reads } of readRecording(recording)) {
    const isHazard = ({ sql, verdict }: (typeof reads)[number]) =>
      verdict.kind === 'hazard' && classifier.classify(sql).reason === null;
    if (reads.some(isHazard)) roots.add(root);
  }
  return roots;
}
