import { describe, expect, it } from 'vitest';
import { findNames } from '../../../packages/core/src/catalogue/find-names.ts';
import { judgeTables } from '../../../packages/core/src/catalogue/judge-tables.ts';
import { nothingKnown } from '../../../packages/core/src/catalogue/knowledge.ts';
import type { CatalogueRows } from '../../../packages/core/src/catalogue/rows.ts';
import type { ServerVersions } from '../../../packages/core/src/statement/functions/known.ts';

/** Bodies with `bad` in them are refused, in this test. */
function unsafeAmong(views: Record<string, string>, columns: CatalogueRows['columns'] = []) {
  const rows = Object.entries(views).map(([name, body]) => ({ database: 'shop', name, body }));
  const work = judgeTables({ views: rows, columns }, (sql) =>
    sql.includes('bad') ? { reason: 'unknown-function', word: 'bad' } : null,
  );
  let step = work.next();
  while (step.done !== true) step = work.next();
  return Object.fromEntries(step.value.map(({ name, reason, word }) => [name, [reason, word]]));
}

describe('judgeTables', () => {
  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['a harmless view', { v: 'select `shop`.`t`.`a` from `shop`.`t`' }, {}],
    ['a view that is refused', { v: 'select bad()' }, { 'shop.v': ['unknown-function', 'bad'] }],
    ['one that may not be seen', { v: '' }, { 'shop.v': ['unreadable', null] }],
    [
      'views over views over it, whatever their order',
      {
        c: 'select 1 from `shop`.`b`',
        b: 'select 1 from `shop`.`A`',
        a: 'select bad()',
        d: 'select `c`.`x` from `shop`.`other` `c`',
      },
      {
        'shop.a': ['unknown-function', 'bad'],
        'shop.b': ['catalogue', 'shop.a'],
        'shop.c': ['catalogue', 'shop.b'],
      },
    ],
    [
      'names with backquotes and points',
      {
        'q`u`': 'select bad()',
        'p.q': 'select 1 from `shop`.`q``u```',
        r: 'select 1 from `shop`.`p.q` where 1',
      },
      {
        'shop.q`u`': ['unknown-function', 'bad'],
        'shop.p.q': ['catalogue', 'shop.q`u`'],
        'shop.r': ['catalogue', 'shop.p.q'],
      },
    ],
    [
      'a backquote in a text before the name',
      { a: 'select bad()', b: "select 'it`s', '\\'`' from `shop`.`a`" },
      { 'shop.a': ['unknown-function', 'bad'], 'shop.b': ['catalogue', 'shop.a'] },
    ],
    [
      'views that read each other, left behind by a replaced one',
      { a: 'select 1 from `shop`.`b`', b: 'select 1 from `shop`.`a` where bad' },
      { 'shop.b': ['unknown-function', 'bad'], 'shop.a': ['catalogue', 'shop.b'] },
    ],
    [
      'a view of another database',
      { a: 'select bad()', b: 'select 1 from `other`.`a`' },
      { 'shop.a': ['unknown-function', 'bad'] },
    ],
  ])('%s', (_, views, expected) => {
    expect(unsafeAmong(views)).toEqual(expected);
  });

  it('counts a view as unreadable that reads what this account does not see', () => {
    const views = ['a', 'b', 'c'].map((name) => ({
      database: 'shop',
      name,
      body:
        name === 'a'
          ? 'select 1 from `hidden`.`v`'
          : `select 1 from \`shop\`.\`${name === 'b' ? 'a' : 't'}\``,
    }));
    const work = judgeTables(
      { views, columns: [] },
      () => null,
      (sql) => (sql.includes('hidden') ? 'hidden.v' : null),
    );
    let step = work.next();
    while (step.done !== true) step = work.next();
    expect(step.value).toEqual([
      { name: 'shop.a', reason: 'unreadable', word: 'hidden.v' },
      { name: 'shop.b', reason: 'catalogue', word: 'shop.a' },
    ]);
  });

  it('judges generated columns, and the views over their tables', () => {
    const columns = [
      { database: 'shop', table: 't', expression: 'bad' },
      { database: 'shop', table: 'u', expression: '1' },
      { database: 's`q', table: 't', expression: 'bad' },
    ];
    const views = {
      v: 'select 1 from `shop`.`t`',
      w: 'select 1 from `shop`.`u`',
      x: 'select 1 from `s``q`.`t`',
    };
    expect(unsafeAmong(views, columns)).toEqual({
      'shop.t': ['unknown-function', 'bad'],
      'shop.v': ['catalogue', 'shop.t'],
      's`q.t': ['unknown-function', 'bad'],
      'shop.x': ['catalogue', 's`q.t'],
    });
  });

  it('is linear in a body of nothing but names', () => {
    const body = `select ${'`a`.`b`.'.repeat(50_000)}\`c\` from \`shop\`.\`bad_one\``;
    expect(unsafeAmong({ v: body.replace('bad_one', 'w'), w: 'select bad()' })).toHaveProperty(
      'shop.v',
    );
  });
});

const nothing: CatalogueRows = {
  version: '9.7.4',
  database: 'shop',
  autoIsNull: false,
  functions: [],
  views: [],
  columns: [],
  tables: null,
  unread: [],
};

function find(
  rows: Partial<CatalogueRows>,
  options: { trustDeclarations?: boolean; pureFunctions?: string[] } = {},
  servers: ServerVersions = { dialect: 'mysql', version: 90704 },
) {
  return findNames(
    { ...nothing, ...rows },
    { servers, options, ownDatabase: 'shop', before: nothingKnown },
  );
}

const price = { database: 'shop', name: 'Price', isDeclaredPure: true };
const calls = (database: string, body: string) => ({ views: [{ database, name: 'v', body }] });

describe('findNames', () => {
  it.each<[string, Partial<CatalogueRows>, Parameters<typeof find>[1], string[]]>([
    ['an unknown function', calls('shop', 'select `price`()'), {}, ['shop.v']],
    ['a function of the user', calls('shop', 'select `price`()'), { pureFunctions: ['price'] }, []],
    [
      'the same with its database',
      calls('x', 'select `shop`.`price`()'),
      { pureFunctions: ['price'] },
      [],
    ],
    [
      'one of the same name in the database of the view',
      calls('x', 'select `price`()'),
      { pureFunctions: ['price'] },
      ['x.v'],
    ],
    [
      'one named with its database',
      calls('x', 'select `price`()'),
      { pureFunctions: ['x.price'] },
      [],
    ],
    [
      'a declared one',
      { ...calls('shop', 'select `price`()'), functions: [price] },
      { trustDeclarations: true },
      [],
    ],
    [
      'a declared one that is not trusted',
      { ...calls('shop', 'select `price`()'), functions: [price] },
      {},
      ['shop.v'],
    ],
    [
      'a declared one of another database',
      { ...calls('x', 'select `price`()'), functions: [price] },
      { trustDeclarations: true },
      ['x.v'],
    ],
    ['IS NULL', calls('shop', 'select 1 from `t` where `a` is null'), {}, []],
    [
      'IS NULL with sql_auto_is_null',
      { ...calls('shop', 'select 1 from `t` where `a` is null'), autoIsNull: true },
      {},
      ['shop.v'],
    ],
  ])('judges a view over %s', async (_, rows, options, expected) => {
    expect((await find(rows, options)).tables.map(({ name }) => name)).toEqual(expected);
  });

  it('does not trust what a replica may still have another definition of', async () => {
    const rows = { ...calls('shop', 'select `price`()'), functions: [price] };
    const findings = await findNames(
      { ...nothing, ...rows },
      {
        servers: { dialect: 'mysql', version: 90704 },
        options: { trustDeclarations: true },
        ownDatabase: 'shop',
        before: {
          ...nothingKnown,
          otherFunctions: { now: new Set(['shop.price']), former: new Map() },
        },
      },
    );
    expect(findings.tables).toHaveLength(1);
  });

  it('suspects stored functions with the name of a built-in one on a server newer than the tables', async () => {
    const mariadb = { dialect: 'mariadb', version: 101118 } as const;
    const names = ['CRC32', 'price'].map((name) => ({ ...price, name }));
    expect((await find({ functions: names }, {}, mariadb)).shadowing).toEqual([]);
    const newer = { ...mariadb, version: 120000, newestVersion: 120000 };
    expect((await find({ functions: names }, {}, newer)).shadowing).toEqual(['crc32']);
  });

  it('keeps names that are ambiguous out of what is trusted', async () => {
    const functions = [
      price,
      { ...price, name: 'a.b' },
      { ...price, database: 'x`y' },
      { ...price, name: 'other', isDeclaredPure: false },
    ];
    const { declaredPure, otherFunctions } = await find({ functions }, { trustDeclarations: true });
    expect(declaredPure).toEqual(['shop.Price']);
    expect(otherFunctions).toEqual(['shop.other']);
  });

  it('lets others run while it works', async () => {
    const views = Array.from({ length: 5_000 }, (_, n) => ({
      database: 'shop',
      name: `v${n}`,
      body: `select ${'upper(`shop`.`t`.`a`) AS `b`,'.repeat(40)}1 from \`shop\`.\`v${n + 1}\``,
    }));
    views.push({ database: 'shop', name: 'v5000', body: 'select `f`()' });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const { tables } = await find({ views });
    clearInterval(timer);
    expect(tables).toHaveLength(5_001);
    expect(turns).toBeGreaterThan(3);
  });
});
