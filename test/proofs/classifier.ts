import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Dialect } from '../../packages/core/src/statement/facts.ts';

/** Where the lexer and its rules are. */
export const sources = fileURLToPath(new URL('../../packages/core/src/statement', import.meta.url));

type JudgeModule = typeof import('../../packages/core/src/statement/judge.ts');
type VocabularyModule = typeof import('../../packages/core/src/statement/vocabulary.ts');

/** Whether a text may run on a replica. */
export type IsSafe = (sql: string) => boolean;

/**
 * The lexer's verdict, without the parser's veto, which can only say no: from these sources, or
 * from a copy of them in another folder.
 */
export async function lexerOf(dialect: Dialect, folder = sources): Promise<IsSafe> {
  const { TextJudge } = await load<JudgeModule>(folder, 'judge.ts');
  const { Vocabulary } = await load<VocabularyModule>(folder, 'vocabulary.ts');
  const judge = new TextJudge(new Vocabulary({ dialect }));
  return (sql) => judge.judge(sql).reason === null;
}

async function load<Module>(folder: string, file: string): Promise<Module> {
  return (await import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href)) as Module;
}
