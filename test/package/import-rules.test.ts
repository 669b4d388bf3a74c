import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../packages/', import.meta.url));

/** Every source file, by its path below `packages/`, with what it imports: types count too. */
const imports = new Map(
  ['core', 'knex', 'kysely'].flatMap((name) =>
    readdirSync(join(root, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => {
        const path = join(root, name, 'src', file);
        return [relative(root, path), importsOf(path)] as const;
      }),
  ),
);

function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  const specifiers = [
    ...source.matchAll(/^(?:import|export)\s[^;]*?from '([^']+)';/gm),
    ...source.matchAll(/^import '([^']+)';/gm),
    ...source.matchAll(/\bimport\('([^']+)'\)/g),
  ].flatMap((match) => match[1] ?? []);
  return specifiers.map((specifier) =>
    specifier.startsWith('.') ? relative(root, resolve(dirname(path), specifier)) : specifier,
  );
}

function filesIn(...folders: readonly string[]): [string, string[]][] {
  return [...imports].filter(([file]) =>
    folders.some((folder) => file.startsWith(`core/src/${folder}/`)),
  );
}

function offences(files: [string, string[]][], isAllowed: (file: string, to: string) => boolean) {
  return files.flatMap(([file, targets]) =>
    targets.filter((to) => !isAllowed(file, to)).map((to) => `${file} imports ${to}`),
  );
}

describe('import rules', () => {
  it('finds the sources and their imports', () => {
    expect(imports.size).toBeGreaterThan(30);
    expect(imports.get('core/src/routing/decide.ts')).toContain('core/src/session/state.ts');
  });

  it('keeps what decides pure: no I/O, no clock, no mysql2, nothing stateful', () => {
    const pure = ['statement', 'session', 'routing', 'hosts', 'gtid', 'topology'];
    const found = offences(filesIn(...pure), (file, to) =>
      // The parser's veto loads node-sql-parser when it is first needed.
      file === 'core/src/statement/veto.ts' && to === 'node:module'
        ? true
        : pure.some((folder) => to.startsWith(`core/src/${folder}/`)),
    );
    expect(found).toEqual([]);
  });

  it('lets no pure file read a clock or chance', () => {
    const found = filesIn('statement', 'session', 'routing', 'hosts', 'topology').filter(([file]) =>
      /Date\.now|performance\.|Math\.random|process\./.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(found.map(([file]) => file)).toEqual([]);
  });

  it('imports mysql2 in one file of the core alone', () => {
    const found = [...imports].filter(([, targets]) =>
      targets.some((to) => to === 'mysql2' || to.startsWith('mysql2/')),
    );
    expect(found.map(([file]) => file)).toEqual(['core/src/pool/mysql2.ts']);
  });

  it('keeps the adapters on the root of the core', () => {
    const adapters = [...imports].filter(([file]) => !file.startsWith('core/'));
    const found = offences(
      adapters,
      (file, to) =>
        to === '@rwsplit/core' ||
        /^(kysely|knex)(\/|$)/.test(to) ||
        to.startsWith('node:') ||
        to.split('/')[0] === file.split('/')[0],
    );
    expect(found).toEqual([]);
  });

  it('has no import cycle of any size', () => {
    expect(cycleIn(imports)).toBeNull();
  });

  it('would see a cycle', () => {
    const cyclic = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(cycleIn(cyclic)).toEqual(['b', 'c', 'b']);
  });
});

/** The first cycle of a graph as a path, or `null`. */
function cycleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const finished = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | null => {
    const seenAt = path.indexOf(node);
    if (seenAt >= 0) {
      return [...path.slice(seenAt), node];
    }
    if (finished.has(node)) {
      return null;
    }
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle !== null) {
        return cycle;
      }
    }
    finished.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle !== null) {
      return cycle;
    }
  }
  return null;
}
