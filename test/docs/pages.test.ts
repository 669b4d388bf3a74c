import { readFileSync } from 'node:fs';
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

describe('links in the docs', () => {
  const pages = [
    'README.md',
    ...[
      'architecture',
      'options',
      'errors',
      'limitations',
      'glossary',
      'routing-rules',
      'explain',
      'sessions',
      'consistency',
      'http',
      'corpus',
      'operations',
      'decisions/0002-one-connection-per-session',
      'decisions/0007-consistency',
      'decisions/0008-hosts',
    ].map((name) => `docs/${name}.md`),
  ];
  it.each(pages)('%s links to files that exist', (name) => {
    const folder = new URL(`../../${name}`, import.meta.url);
    const links = [...page(name).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
      (match) => match[1] ?? '',
    );
    for (const link of links) {
      expect(() => readFileSync(new URL(link, folder))).not.toThrow();
    }
  });
});
