import { createRequire } from 'node:module';

/*
 * A parser that can read nothing, so that the lexer's verdict stands: asking the real one about
 * every text of every test takes most of the time of a run. Its own tests run with the real one.
 */
const load = createRequire(new URL('../../packages/core/src/statement/veto.ts', import.meta.url));

class Parser {
  astify(): never {
    throw new SyntaxError('this parser reads nothing');
  }
}

for (const build of ['mysql', 'mariadb']) {
  const name = `node-sql-parser/build/${build}`;
  load(name);
  const loaded = load.cache[load.resolve(name)];
  if (loaded !== undefined) loaded.exports = { Parser };
}
