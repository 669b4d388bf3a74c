import { Vocabulary, type VocabularyOptions } from './vocabulary.ts';

/** So many are kept: the pools of one process rarely differ in more. */
const mostKept = 16;

const kept = new Map<string, Vocabulary>();

/**
 * The vocabulary of these options. Nothing changes one that is made, and to make it takes a millisecond or two, which
 * every pool would pay several times before its first answer.
 */
export function vocabularyOf(options: VocabularyOptions): Vocabulary {
  const { dialect, version, newestVersion, pureFunctions, primaryTables, catalogue } = options;
  const key = JSON.stringify([
    dialect,
    version,
    newestVersion,
    pureFunctions,
    primaryTables,
    catalogue?.unsafeTables,
    catalogue?.shadowingFunctions,
  ]);
  const vocabulary = kept.get(key) ?? new Vocabulary(options);
  kept.delete(key);
  kept.set(key, vocabulary);
  const [oldest] = kept.keys();
  if (kept.size > mostKept && oldest !== undefined) {
    kept.delete(oldest);
  }
  return vocabulary;
}
