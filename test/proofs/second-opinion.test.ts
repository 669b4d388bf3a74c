import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import { compiledByKnex, compiledByKysely } from '../corpus/compiled.ts';
import { openSuite } from '../corpus/suite.ts';
import { type Flavor, flavors } from '../support/servers/flavor.ts';
import { Random } from './random.ts';
import { loadParser, objectionTo } from './second-parser.ts';

const rowsOfSafeReads = vi.hoisted((): string[] => []);
vi.mock('../core/statement/rows.ts', () => ({
  safe: {},
  describeRows: (_title: string, _facts: object, rows: readonly (readonly [string, string])[]) => {
    rowsOfSafeReads.push(...rows.map(([sql]) => sql));
  },
}));

/** Texts in which the other parser sees what no server does, and what that is: none so far. */
const falseAlarms: ReadonlyMap<string, string> = new Map<string, string>([]);

beforeAll(loadParser);

/** Objections to these texts, and the share of them that the parser can read. */
function ask(texts: readonly string[]): { objections: string[]; parsed: number } {
  const objections: string[] = [];
  let parsed = 0;
  for (const sql of texts) {
    const objection = objectionTo(sql);
    if (objection === undefined) continue;
    parsed++;
    if (objection !== null && !falseAlarms.has(sql)) objections.push(`${objection}: ${sql}`);
  }
  return { objections, parsed: parsed / texts.length };
}

describe('an independent parser agrees that a replica may run', () => {
  it('the safe reads of our own rows', async () => {
    await import('../core/statement/safe-reads.test.ts');
    expect(rowsOfSafeReads.length).toBeGreaterThan(100);
    const { objections, parsed } = ask(rowsOfSafeReads);
    expect(objections).toEqual([]);
    // They were picked for being odd: it cannot read them all, but it must read most.
    expect(parsed).toBeGreaterThan(0.7);
  });

  it.each([
    ['Knex', compiledByKnex],
    ['Kysely', compiledByKysely],
  ] as const)('what %s compiles', (_library, compile) => {
    const { objections, parsed } = ask(compile());
    expect(objections).toEqual([]);
    expect(parsed).toBeGreaterThan(0.95);
  });

  it.each(flavors)('what the classifier lets through of the test suite of %s', async (flavor) => {
    const texts = await safeReadsOf(flavor);
    expect(texts.length).toBeGreaterThan(300);
    const { objections, parsed } = ask(texts);
    expect(objections).toEqual([]);
    expect(parsed).toBeGreaterThan(0.9);
  });
});

describe('an independent parser objects to', () => {
  it.each([
    'SELECT a FROM t FOR UPDATE',
    'WITH c AS (SELECT a FROM t FOR SHARE) SELECT * FROM c',
    'SELECT 1 UNION (SELECT a FROM t FOR UPDATE)',
    'SELECT a FROM t /*! FOR UPDATE */',
    'SELECT a INTO @v FROM t',
    'SELECT @a := 1',
    'SELECT 1; SELECT 2',
    'WITH c AS (SELECT 1) DELETE FROM t',
    'EXPLAIN ANALYZE DELETE FROM t',
    'INSERT INTO t VALUES (1)',
  ])('%s', (sql) => {
    expect(objectionTo(sql)).toEqual(expect.any(String));
  });
});

/** Distinct texts of some files of a server's test suite. */
async function safeReadsOf(flavor: Flavor): Promise<string[]> {
  const suite = await openSuite(flavor);
  const classifier = createClassifier({ dialect: flavor });
  const random = new Random(4);
  const texts = new Set<string>();
  for (let files = 0; files < 200; files++) {
    const statements = suite.expand(random.pick(suite.roots));
    if (statements.length > 500) continue;
    for (const { sql } of statements) if (classifier.classify(sql).reason === null) texts.add(sql);
  }
  return [...texts];
}
