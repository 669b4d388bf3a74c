import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { errorCodes, routeReasons } from '@rwsplit/core';
import { describe, expect, it } from 'vitest';
import { routingChecks, routingDefaults } from '../../packages/core/src/config/options.ts';
import { createClassifier } from '../../packages/core/src/statement/classifier.ts';
import { textReasons } from '../../packages/core/src/statement/facts.ts';
import { type Rule, routingRulesPage, rules } from '../../scripts/docs/rules.ts';

function page(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

describe('docs/routing-rules.md', () => {
  it('is what scripts/docs/main.ts writes', () => {
    expect(page('docs/routing-rules.md')).toBe(routingRulesPage());
  });

  it('has a row for every reason, and none for another', () => {
    expect(Object.keys(rules).sort()).toEqual([...routeReasons].sort());
  });

  const classifiers = (['mysql', 'mariadb'] as const).map((dialect) =>
    createClassifier({
      dialect,
      catalogue: {
        unsafeTables: ['shop.a_view_that_calls_a_stored_function'],
        shadowingFunctions: [],
      },
    }),
  );
  const examples = textReasons.filter((reason) => !['parser-veto', 'bound-code'].includes(reason));
  it.each(examples)('has an example for %s that is one', (reason) => {
    const { example }: Rule = rules[reason];
    const reasons = classifiers.map((classifier) => classifier.classify(example).reason);
    expect(reasons).toContain(reason);
  });

  const pins = Object.entries<Rule>(rules).filter(([reason]) =>
    /^pinned:(?!autocommit|has)/.test(reason),
  );
  it.each(pins)('has an example for %s that pins', (reason, { before }) => {
    const pin = classifiers[0]?.classify(before ?? '').pin;
    expect(`pinned:${pin}`).toBe(reason);
  });
});

describe('docs/errors.md', () => {
  it('has a row for every code, and none for another', () => {
    const rows = [...page('docs/errors.md').matchAll(/^\| `(RWSPLIT_\w+)`/gm)].map(
      (match) => match[1],
    );
    expect(rows).toEqual([...errorCodes]);
  });
});

describe.each(['README.md', 'docs/options.md'])('%s', (name) => {
  it('has a row for every routing option, with its default', () => {
    const [, options = ''] = page(name).split(/^## (?:Options|Routing)$/m);
    const rows = [...options.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map((match) => ({
      option: match[1] ?? '',
      row: match[2] ?? '',
    }));
    expect(rows.map(({ option }) => option).sort()).toEqual(Object.keys(routingChecks).sort());
    for (const [option, value] of Object.entries(routingDefaults)) {
      const shown = typeof value === 'string' ? `\`'${value}'\`` : `\`${value}\``;
      expect(rows.find((row) => row.option === option)?.row).toContain(shown);
    }
  });
});

describe('README.md, the versions', () => {
  const manifest = (name: string) => JSON.parse(page(`${name}package.json`));
  const [, section = ''] = page('README.md').split('## Versions');
  const rowOf = (name: string) =>
    section.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '';
  const ranges: Record<string, string> = {
    ...manifest('packages/knex/').peerDependencies,
    ...manifest('packages/kysely/').peerDependencies,
  };

  it.each([
    ['Knex', 'knex'],
    ['Kysely', 'kysely'],
    ['mysql2', 'mysql2'],
  ])('say of %s what the packages accept, and what the tests use', (name, dependency) => {
    const oldest = /^>=(\S+)/.exec(ranges[dependency] ?? '')?.[1] ?? 'none';
    const [, , supported = '', tested = ''] = rowOf(name).split('|');
    expect(supported).toContain(oldest.replace(/\.0$/, ''));
    expect(tested.trim().split(', ')).toEqual([oldest, manifest('').devDependencies[dependency]]);
  });

  it('say of Node what the packages need, and of TypeScript what they are built with', () => {
    expect(rowOf('Node')).toContain(
      ` ${manifest('packages/core/').engines.node.replace('>=', '')} or newer`,
    );
    expect(rowOf('TypeScript')).toContain(manifest('').devDependencies.typescript);
  });
});

describe('links in the docs', () => {
  const root = new URL('../../', import.meta.url);
  const docs = readdirSync(new URL('docs', root), { recursive: true, encoding: 'utf8' });
  const pages = [
    'README.md',
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
    ...['core', 'knex', 'kysely'].map((name) => `packages/${name}/README.md`),
  ];

  it('are looked for on all pages', () => {
    expect(pages).toContain('docs/migrating/README.md');
    expect(pages.length).toBeGreaterThan(20);
  });

  it.each(pages)('%s links to files and headings that exist', (name) => {
    const links = [...page(name).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    for (const [link, file = '', heading] of links) {
      const target = file === '' ? new URL(name, root) : new URL(file, new URL(name, root));
      expect(existsSync(target), `what ${link} leads to`).toBe(true);
      if (heading !== undefined) {
        const text = readFileSync(target, 'utf8');
        expect(headingsOf(text), `the heading of ${link}`).toContain(heading);
      }
    }
  });
});

/** As GitHub makes them: lower case, no punctuation, dashes for spaces. */
function headingsOf(text: string): string[] {
  const headings = text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
