import { Vocabulary } from '../statement/vocabulary.ts';

let vocabulary: Vocabulary | null = null;

/** The words of both dialects, without what anybody has declared. Made when it is first needed. */
export function plainVocabulary(): Vocabulary {
  vocabulary ??= new Vocabulary({ dialect: 'unknown', version: 0 });
  return vocabulary;
}
