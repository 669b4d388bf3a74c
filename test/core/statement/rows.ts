import { describe, expect, it } from 'vitest';
import {
  type Classifier,
  createClassifier,
} from '../../../packages/core/src/statement/classifier.ts';
import type { Dialect, Facts } from '../../../packages/core/src/statement/facts.ts';

/** A text, and why it is what its group says. */
export type Row = readonly [sql: string, why: string];

export const dialects: readonly Dialect[] = ['mysql', 'mariadb', 'unknown'];

/** One classifier for each dialect, with the options that the rows speak of. */
export const classifiers: Readonly<Record<Dialect, Classifier>> = {
  mysql: withDialect('mysql'),
  mariadb: withDialect('mariadb'),
  unknown: withDialect('unknown'),
};

function withDialect(dialect: Dialect): Classifier {
  return createClassifier({
    dialect,
    pureFunctions: ['price', 'shop.tax', 'Ünterfläche'],
    primaryTables: ['job', 'shop.till', 'with `quote'],
  });
}

export const safe: Partial<Facts> = { kind: 'read', reason: null, word: null };

/** Rows that have these facts, in each of these dialects. */
export function describeRows(
  title: string,
  expected: Partial<Facts>,
  rows: readonly Row[],
  in_: readonly Dialect[] = dialects,
): void {
  describe(title, () => {
    it.each(rows)('%s: %s', (sql) => {
      for (const dialect of in_) {
        const facts = classifiers[dialect].classify(sql);
        expect(facts, dialect).toMatchObject(expected);
      }
    });
  });
}
