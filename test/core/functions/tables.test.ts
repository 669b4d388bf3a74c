import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { textReasons } from '../../../packages/core/src/statement/facts.ts';
import { mariadbFunctions } from '../../../packages/core/src/statement/functions/mariadb.ts';
import { mysqlFunctions } from '../../../packages/core/src/statement/functions/mysql.ts';
import {
  type FunctionTable,
  versionNumber,
} from '../../../packages/core/src/statement/functions/table.ts';
import { judgedImpure, judgedNames, judgedPure, split } from '../../../scripts/functions/judge.ts';
import { render } from '../../../scripts/functions/render.ts';
import { differences } from '../../../scripts/functions/survey.ts';
import { versionDifferences } from '../../../scripts/functions/versions.ts';

type Verdict = 'pure' | 'touching' | 'impure' | undefined;

function verdict(table: FunctionTable, name: string): Verdict {
  if (table.pure.split(' ').includes(name)) return 'pure';
  if (table.touching.split(' ').includes(name)) return 'touching';
  return Object.hasOwn(table.impure, name) ? 'impure' : undefined;
}

function allNames({ pure, touching, impure }: FunctionTable): string[] {
  return [...pure.split(' '), ...touching.split(' '), ...Object.keys(impure)];
}

describe.each([mysqlFunctions, mariadbFunctions])('the table of $dialect', (table) => {
  it('has lower-case names only', () => {
    expect(allNames(table).filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))).toEqual([]);
  });

  it('has no name twice', () => {
    const names = allNames(table);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it.each([
    ['pure', table.pure.split(' ')],
    ['touching', table.touching.split(' ')],
    ['impure', Object.keys(table.impure)],
  ])('has its %s names in order', (_, names) => {
    expect(names).toEqual([...names].sort());
  });

  it('counts the arguments of pure functions only', () => {
    const pure = table.pure.split(' ');
    expect(Object.keys(table.counted).filter((name) => !pure.includes(name))).toEqual([]);
  });

  it('gives reasons that facts have', () => {
    const reasons = new Set(Object.values(table.impure).map(({ reason }) => reason));
    expect([...reasons].filter((reason) => !textReasons.includes(reason))).toEqual([]);
  });

  it('says of each name what was judged', () => {
    const pure = [...table.pure.split(' '), ...table.touching.split(' ')];
    expect(pure.filter((name) => !judgedPure.has(name))).toEqual([]);
    for (const [name, impure] of Object.entries(table.impure)) {
      expect(impure, name).toEqual(judgedImpure.get(name));
    }
  });

  it('has the documented versions', () => {
    expect(table.since).toEqual(differences(table.dialect, 'since'));
    expect(table.until).toEqual(differences(table.dialect, 'until'));
  });

  it('agrees with what is documented of this version and earlier ones', () => {
    const pure = [...table.pure.split(' '), ...table.touching.split(' ')];
    const measured = versionNumber(table.version);
    for (const [version, names] of Object.entries(table.since)) {
      const isBuiltIn = Number(version) <= measured;
      expect(split(names).filter((name) => pure.includes(name) !== isBuiltIn)).toEqual([]);
    }
    for (const [version, names] of Object.entries(table.until)) {
      expect(Number(version)).toBeLessThanOrEqual(measured);
      expect(split(names).filter((name) => pure.includes(name))).toEqual([]);
    }
  });

  it('is the file that the generator writes', async () => {
    const path = `../../../packages/core/src/statement/functions/${table.dialect}.ts`;
    const written = await readFile(new URL(path, import.meta.url), 'utf8');
    expect(render(table)).toBe(written);
  });
});

describe('a documented difference', () => {
  it('is one of functions that are judged pure', () => {
    const names = versionDifferences.flatMap((difference) => split(difference.names));
    expect(names.filter((name) => !judgedPure.has(name))).toEqual([]);
  });

  it('is there once for each dialect, change and name', () => {
    const all = versionDifferences.flatMap(({ dialect, change, names }) =>
      split(names).map((name) => `${dialect} ${change} ${name}`),
    );
    expect(all.filter((one, at) => all.indexOf(one) !== at)).toEqual([]);
  });

  it.each(versionDifferences)('names its source: $dialect $change $version', (difference) => {
    expect(difference.source).toMatch(/^(MySQL|MariaDB)/);
    expect(difference.version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('a judgement', () => {
  it('is made once for each name', () => {
    expect(judgedNames.filter((name, at) => judgedNames.indexOf(name) !== at)).toEqual([]);
  });

  it('reads lists that run over several lines', () => {
    expect(split(' abs\n   acos asin ')).toEqual(['abs', 'acos', 'asin']);
  });
});

describe('a name', () => {
  it.each<[name: string, mysql: Verdict, mariadb: Verdict, why: string]>([
    ['abs', 'pure', 'pure', 'a native function: white space changes nothing'],
    ['now', 'touching', 'touching', 'the lexers want it to touch its parenthesis'],
    ['count', 'touching', 'touching', 'the most frequent call of all'],
    ['if', 'pure', 'pure', 'a reserved word that is a function'],
    ['left', 'pure', 'pure', 'a reserved word that is a function, and a join'],
    ['replace', 'pure', 'pure', 'a function, and a statement that writes'],
    ['interval', 'pure', 'pure', 'a function, and a unit of time'],
    ['x', undefined, 'pure', 'a geographic function of one letter'],
    ['first_value', 'pure', 'touching', 'reserved in MySQL only'],
    ['sysdate', 'touching', 'pure', 'MariaDB has it in its grammar'],
    ['extractvalue', 'pure', 'pure', 'what its XPath holds is for the lexer'],
    ['last_insert_id', 'impure', 'impure', 'about the session'],
    ['get_lock', 'impure', 'impure', 'the lock belongs to the session'],
    ['version', 'impure', 'impure', 'adapters choose their SQL by the version of the primary'],
    ['nextval', undefined, 'impure', 'MySQL has no sequences: there it is a stored function'],
    ['md5', undefined, 'pure', 'a component in MySQL 9.7, not built in'],
    ['mysql_query_attribute_string', undefined, undefined, 'of a component'],
    ['group_replication_set_as_primary', undefined, undefined, 'of a plugin'],
    ['keyring_key_generate', undefined, undefined, 'loadable'],
    ['json_table', 'pure', undefined, 'in MariaDB a stored function may have this name'],
    ['point', 'pure', 'pure', 'in MariaDB with two arguments'],
    ['json_storage_size', 'impure', undefined, 'bytes on one server'],
    ['distinct', undefined, undefined, 'clause syntax: DISTINCT(a) is no call'],
    ['values', undefined, undefined, 'clause syntax'],
    ['sql_tsi_day', undefined, undefined, 'a unit that answers as DAY does; in no manual'],
  ])('%s: %s in MySQL, %s in MariaDB: %s', (name, mysql, mariadb) => {
    expect(verdict(mysqlFunctions, name)).toBe(mysql);
    expect(verdict(mariadbFunctions, name)).toBe(mariadb);
  });

  it.each([
    ['last_insert_id', { reason: 'session-function', asks: 'insert-id' }],
    ['found_rows', { reason: 'session-function', asks: 'found-rows' }],
    ['row_count', { reason: 'session-function', asks: 'row-count' }],
    ['connection_id', { reason: 'session-function' }],
    ['get_lock', { reason: 'unsafe-function', pin: 'user-lock' }],
    ['sleep', { reason: 'unsafe-function' }],
  ])('%s has its facts in both dialects', (name, facts) => {
    expect(mysqlFunctions.impure[name]).toEqual(facts);
    expect(mariadbFunctions.impure[name]).toEqual(facts);
  });
});
