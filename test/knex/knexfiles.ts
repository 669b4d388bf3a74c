import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A project with a knexfile, two migrations and a seed. */
export interface Project {
  readonly folder: string;
  readonly knexfile: string;
  /** What Node needs to run it. */
  readonly nodeOptions: readonly string[];
}

interface Language {
  readonly extension: string;
  readonly isModule: boolean;
  readonly isTyped?: boolean;
  /** The `type` of the project's package.json. */
  readonly type: 'commonjs' | 'module';
}

export const languages = {
  'knexfile.cjs': { extension: 'cjs', isModule: false, type: 'module' },
  'knexfile.js, CommonJS': { extension: 'js', isModule: false, type: 'commonjs' },
  'knexfile.mjs': { extension: 'mjs', isModule: true, type: 'commonjs' },
  'knexfile.js, ESM': { extension: 'js', isModule: true, type: 'module' },
  'knexfile.ts, CommonJS': { extension: 'ts', isModule: true, isTyped: true, type: 'commonjs' },
  'knexfile.ts, ESM': { extension: 'ts', isModule: true, isTyped: true, type: 'module' },
} as const satisfies Record<string, Language>;

export type LanguageName = keyof typeof languages;

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Inside the workspace, so that imports find the packages. */
const home = join(root, 'node_modules', '.cache', `rwsplit-knexfiles-${process.pid}`);

export async function makeProject(name: LanguageName, tag: string): Promise<Project> {
  const language: Language = languages[name];
  const { extension } = language;
  const folder = join(home, `${name.replaceAll(/\W+/g, '-')}-${tag}`);
  const knexfile = join(folder, `knexfile.${extension}`);
  await mkdir(join(folder, 'migrations'), { recursive: true });
  await mkdir(join(folder, 'seeds'));
  const files = {
    'package.json': JSON.stringify({ type: language.type }),
    [`knexfile.${extension}`]: config(language),
    [`migrations/1_note.${extension}`]: note(language),
    [`migrations/2_fill.${extension}`]: fill(language),
    [`seeds/1_more.${extension}`]: more(language),
  };
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(folder, file), text);
  }
  // TypeScript runs from the packages' sources; the others get what is published.
  const nodeOptions = language.isTyped === true ? ['--import', 'tsx'] : ['--conditions=built'];
  return { folder, knexfile, nodeOptions };
}

export function removeProjects(): Promise<void> {
  return rm(home, { recursive: true, force: true });
}

function config({ extension, isModule }: Language): string {
  return `
    ${isModule ? "import { ReplicatedMysql2 } from '@rwsplit/knex';" : "const { ReplicatedMysql2 } = require('@rwsplit/knex');"}
    const { primary, replicas } = JSON.parse(process.env.RWSPLIT_HOSTS ?? '');
    ${isModule ? 'export default' : 'module.exports ='} {
      client: ReplicatedMysql2,
      connection: primary,
      replicas,
      // Else what the migrator itself has written would send reads to the primary.
      replication: { consistency: 'eventual' },
      migrations: { loadExtensions: ['.${extension}'] },
      seeds: { loadExtensions: ['.${extension}'] },
    };`;
}

function note(language: Language): string {
  return functions(language, {
    up: `await knex.schema.createTable('note', (table) => {
      table.increments('id');
      table.string('title', 40).notNullable().defaultTo('none').comment('what it is about');
    });`,
    down: `await knex.schema.dropTable('note');`,
  });
}

/** Looks at what is there, as migrations do, and outside of transactions. */
function fill(language: Language): string {
  const body = {
    up: `await knex('note').insert({ title: 'one' });
    const { value } = await knex('setting').first('value');
    await knex.raw('update note set title = ?', [value]);
    if (await knex.schema.hasColumn('note', 'title')) {
      await knex.schema.alterTable('note', (table) => table.renameColumn('title', 'name'));
    }`,
    down: `const [{ count }] = await knex('note').count({ count: '*' });
    if (count === 0) throw new Error('not what the primary has');`,
  };
  const { isModule } = language;
  const transaction = `${isModule ? 'export const config' : 'exports.config'} = { transaction: false };`;
  return `${functions(language, body)}\n${transaction}`;
}

function more(language: Language): string {
  return functions(language, {
    seed: `const notes = await knex('note').pluck('name');
    await knex('note').insert({ name: notes.join() + ' and more' });`,
  });
}

/** A module that exports these functions of Knex. */
function functions(
  { isModule, isTyped }: Language,
  bodies: Readonly<Record<string, string>>,
): string {
  const parameter = isTyped === true ? 'knex: Knex' : 'knex';
  const header = isTyped === true ? "import type { Knex } from 'knex';\n" : '';
  const texts = Object.entries(bodies).map(([name, body]) => {
    const start = isModule ? `export async function ${name}` : `exports.${name} = async function`;
    return `${start}(${parameter}) {\n${body}\n};`;
  });
  return header + texts.join('\n');
}
