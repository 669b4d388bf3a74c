import { vocabularyOf } from '../statement/vocabularies.ts';
import type { Vocabulary } from '../statement/vocabulary.ts';

/** The words of both dialects, without what anybody has declared. */
export function plainVocabulary(): Vocabulary {
  return vocabularyOf({ dialect: 'unknown', version: 0 });
}
