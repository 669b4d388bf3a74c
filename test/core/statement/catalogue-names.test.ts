import { describe, expect, it } from 'vitest';
import {
  type ClassifierOptions,
  createClassifier,
} from '../../../packages/core/src/statement/classifier.ts';
import type { TextReason } from '../../../packages/core/src/statement/facts.ts';
import { dialects } from './rows.ts';

type Row = readonly [sql: string, reason: TextReason | null, word: string | null, why: string];

function describeRows(title: string, options: Partial<ClassifierOptions>, rows: readonly Row[]) {
  describe(title, () => {
    it.each(rows)('%s: %s %s: %s', (sql, reason, word) => {
      for (const dialect of dialects) {
        const facts = createClassifier({ dialect, ...options }).classify(sql);
        expect(facts, dialect).toMatchObject({ kind: 'read', reason, word });
      }
    });
  });
}

const unsafeTables = [
  'shop.price_list',
  'shop.Übersicht',
  'shop.İstanbul',
  'shop.inch"es',
  'shop.with `quote',
  'a.b.c',
  'shop.job',
  'İ.view',
];

describeRows(
  'unsafe tables',
  {
    catalogue: { unsafeTables, shadowingFunctions: [] },
    primaryTables: ['job', 'shop.job', 'price'],
  },
  [
    ['SELECT * FROM price_list', 'catalogue', 'price_list', 'the current database may be its own'],
    ['SELECT * FROM shop.price_list', 'catalogue', 'price_list', 'with its database'],
    ['SELECT * FROM `SHOP` . `Price_List`', 'catalogue', 'price_list', 'in any case'],
    ['SELECT * FROM other.price_list', null, null, 'a table of another database'],
    ['SELECT * FROM .price_list', 'catalogue', 'price_list', 'behind a point alone'],
    ['SELECT 1 FROM t JOIN .`price_list` ON 1', 'catalogue', 'price_list', 'joined like that'],
    ['SELECT 1 FROM { OJ .price_list }', 'catalogue', 'price_list', 'the escape of ODBC'],
    ['SELECT * FROM `json`.price_list', null, null, 'a database in quotes that a keyword names'],
    ['SELECT * FROM other . price_list', null, null, 'a database, with white space around'],
    ['SELECT * FROM "inch""es"', 'catalogue', 'inch""es', 'its quotes doubled'],
    ['SELECT * FROM `inch"es`', 'catalogue', 'inch"es', 'or not'],
    ['SELECT * FROM "shop"."price_list"', 'catalogue', 'price_list', 'quoted under ANSI_QUOTES'],
    ['SELECT * FROM ??.price_list', 'catalogue', 'price_list', 'a database yet unknown'],
    ["SELECT 'price_list'", null, null, 'text is no name'],
    ['SELECT a FROM t AS price_list', 'catalogue', 'price_list', 'an alias counts'],
    ['SELECT 1 FROM (TABLE price_list) AS t', 'catalogue', 'price_list', 'anywhere in the text'],
    ['SELECT * FROM übersicht', 'catalogue', 'übersicht', 'letters beyond ASCII in any case'],
    ['SELECT * FROM İstanbul', 'catalogue', 'istanbul', 'a letter that the servers fold to ASCII'],
    ['SELECT * FROM `İSTANBUL`', 'catalogue', 'istanbul', 'in backquotes'],
    ['SELECT * FROM İ.view', 'catalogue', 'view', 'a database of such a letter'],
    ['SELECT * FROM ı.view', null, null, 'another letter, another database'],
    ['SELECT * FROM `with ``quote`', 'catalogue', 'with ``quote', 'a name with a quote'],
    ['SELECT * FROM `a.b`.c', 'catalogue', 'c', 'a database with a point in its name'],
    ['SELECT * FROM a.`b.c`', 'catalogue', 'b.c', 'a table with a point in its name'],
    ['SELECT * FROM a.c', null, null, 'neither of these'],
    ['SELECT * FROM shop.job', 'primary-table', 'job', 'what the user said comes first'],
    ['SELECT * FROM other.job', 'primary-table', 'job', 'it was named without a database too'],
    ['SELECT a FROM price, price_list', 'primary-table', 'price', 'the first name that says so'],
  ],
);

describeRows(
  'shadowing functions',
  {
    catalogue: { unsafeTables: [], shadowingFunctions: ['ABS', 'count', 'left', 'lower', 'date'] },
    pureFunctions: ['lower', 'shop.abs'],
  },
  [
    ['SELECT abs(1)', 'unknown-function', 'abs', 'a native function'],
    ['SELECT ABS (1)', 'unknown-function', 'abs', 'in any case and spelling'],
    ['SELECT count(*) FROM t', 'unknown-function', 'count', 'one that touches its parenthesis'],
    ["SELECT left('abc', 1)", 'unknown-function', 'left', 'a reserved word'],
    ["SELECT date('2020-01-02')", 'unknown-function', 'date', 'the name of a type'],
    ['SELECT abs FROM t', null, null, 'a column of its name'],
    ["SELECT DATE '2020-01-02'", null, null, 'a literal'],
    ['SELECT 1 FROM a LEFT JOIN b ON a.id = b.id', null, null, 'a join'],
    ['SELECT ceil(1), floor(1)', null, null, 'other functions'],
    ["SELECT lower('A')", null, null, 'declared pure by the user'],
    ['SELECT shop.abs(1)', null, null, 'declared pure with its database'],
  ],
);

describe('a read that locks', () => {
  const classifier = createClassifier({
    dialect: 'mysql',
    catalogue: { unsafeTables, shadowingFunctions: [] },
  });
  it.each([
    ['SELECT 1 FROM t FOR UPDATE', false],
    ['(SELECT 1 FROM t FOR UPDATE) UNION SELECT 1 FROM shop.price_list', true],
    ['(SELECT 1 FROM t FOR SHARE) UNION SELECT 1 FROM `price_list`', true],
  ])('%s: may call anything through a view: %s', (sql, callsUnknown) => {
    expect(classifier.classify(sql)).toMatchObject({ reason: 'locking-read', callsUnknown });
  });
});
