import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokenLexer } from './broken-lexers.ts';
import { sources } from './classifier.ts';

/** A copy of the classifier's sources with a mistake in it, in a temporary folder. */
export interface BrokenCopy extends Disposable {
  readonly folder: string;
}

/** @throws Error if a pattern does not stand exactly once in the sources: then mend the pattern */
export function breakLexer({ name, changes }: BrokenLexer): BrokenCopy {
  const folder = mkdtempSync(join(tmpdir(), 'rwsplit-broken-'));
  try {
    cpSync(sources, folder, { recursive: true });
    for (const [pattern, replacement] of changes) change(folder, name, pattern, replacement);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

function change(folder: string, name: string, pattern: RegExp, replacement: string): void {
  const everywhere = new RegExp(pattern, 'g');
  const places = readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const found = readFileSync(join(folder, file), 'utf8').match(everywhere) ?? [];
      return found.map(() => file);
    });
  const [file] = places;
  if (file === undefined || places.length > 1) {
    const where = places.length === 0 ? 'is not in' : `stands in ${places.join(' and ')} of`;
    throw new Error(`"${name}": ${pattern} ${where} packages/core/src/statement`);
  }
  const path = join(folder, file);
  writeFileSync(path, readFileSync(path, 'utf8').replace(pattern, replacement));
}
