import { foldName } from '../statement/table-names.ts';
import { plainVocabulary } from './plain-vocabulary.ts';

/**
 * `f` for each `db.f` of a database, unless `f` is a word that the grammar or a built-in function
 * has: such a word must not come to mean something else.
 */
export function bareNames(names: readonly string[], database: string | null): string[] {
  const prefix = `${database}.`;
  const plain = plainVocabulary();
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => foldName(name.slice(prefix.length)))
    .filter((name) => plain.entryOf(name) === 0);
}
