import type { ClassifierStats } from '../statement/classifier.ts';
import { type VetoCause, vetoCauses } from '../statement/syntax-tree.ts';

/** How the statements of a pool were classified, since it was made. */
export interface ClassificationStats {
  /** Texts that were classified. */
  readonly classified: number;
  /** Those of them that were known from before. */
  readonly known: number;
  /** Plain reads that node-sql-parser was asked about: once for each kind of statement. */
  readonly parsed: number;
  /** Reads that it kept on the primary (reason `parser-veto`), by cause; each kind of statement once. */
  readonly vetoes: Readonly<Record<VetoCause, number>>;
  /** Texts that it could not parse: the lexer's verdict stands. */
  readonly parseErrors: number;
  /** Texts too long or too deep to be parsed: the lexer's verdict stands. */
  readonly guarded: number;
  /** Whether node-sql-parser could not be loaded. */
  readonly unavailable: boolean;
}

const none: Readonly<Record<VetoCause, number>> = {
  lock: 0,
  into: 0,
  variable: 0,
  function: 0,
  statement: 0,
  table: 0,
};

/** Before the first statement. */
export const noClassification: ClassificationStats = {
  classified: 0,
  known: 0,
  parsed: 0,
  vetoes: none,
  parseErrors: 0,
  guarded: 0,
  unavailable: false,
};

/** The counts of one classifier added to those of the classifiers before it. */
export function withClassifier(
  past: ClassificationStats,
  { classified, known, parsed, vetoes, parseErrors, guarded, unavailable }: ClassifierStats,
): ClassificationStats {
  const sums = vetoCauses.map((cause) => [cause, past.vetoes[cause] + vetoes[cause]] as const);
  return {
    classified: past.classified + classified,
    known: past.known + known,
    parsed: past.parsed + parsed,
    vetoes: { ...none, ...Object.fromEntries(sums) },
    parseErrors: past.parseErrors + parseErrors,
    guarded: past.guarded + guarded,
    unavailable,
  };
}
