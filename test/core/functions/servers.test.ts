import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mariadbFunctions } from '../../../packages/core/src/statement/functions/mariadb.ts';
import { mysqlFunctions } from '../../../packages/core/src/statement/functions/mysql.ts';
import type { FunctionTable } from '../../../packages/core/src/statement/functions/table.ts';
import { TextJudge } from '../../../packages/core/src/statement/judge.ts';
import * as keywords from '../../../packages/core/src/statement/keywords.ts';
import { Vocabulary } from '../../../packages/core/src/statement/vocabulary.ts';
import { binaryNames, listedNames } from '../../../scripts/functions/candidates.ts';
import { findReached } from '../../../scripts/functions/contexts.ts';
import { findFunctions } from '../../../scripts/functions/existence.ts';
import { findHijacks, quickEffort, thoroughEffort } from '../../../scripts/functions/hijack.ts';
import { judgedNames, split } from '../../../scripts/functions/judge.ts';
import {
  closeSessionPair,
  findImpurities,
  openSessionPair,
  type SessionPair,
} from '../../../scripts/functions/purity.ts';
import {
  type Account,
  closeServer,
  openServer,
  type Server,
} from '../../../scripts/functions/server.ts';
import { problems, type Survey, surveyServer, toTable } from '../../../scripts/functions/survey.ts';
import { admin } from '../../support/servers/accounts.ts';
import { findServer } from '../../support/servers/find.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';

// The whole of it takes minutes: then as the generator does it.
const isFull = process.env['RWSPLIT_FULL'] === '1';
const sampleEvery = 8;

/** Of a few ten thousand strings, the same ones in every run. */
function sample(names: ReadonlySet<string>): string[] {
  return [...names].sort().filter((_, index) => isFull || index % sampleEvery === 0);
}

/** Words that the lexer knows, which it may take for clause syntax before a parenthesis. */
function knownWords(): string[] {
  const { queryWords, newerQueryWords, typeWords, typeWordsInMariadb, openingWords } = keywords;
  const lists = [queryWords, newerQueryWords, typeWords, typeWordsInMariadb, openingWords];
  return [...new Set(lists.flatMap(split))];
}

/** `9.7.4` → `9.7`. */
function series(version: string): string {
  return version.split('.', 2).join('.');
}

/** The table of a server of another series has other names: compare what both know. */
function comparable(table: FunctionTable, other: FunctionTable): FunctionTable {
  const version = series(table.version);
  if (version === series(other.version)) return { ...table, version };
  const isKnown = (name: string) =>
    `${other.pure} ${other.touching}`.split(' ').includes(name) ||
    Object.hasOwn(other.impure, name);
  const known = (names: string) => names.split(' ').filter(isKnown).join(' ');
  const impure = Object.entries(table.impure).filter(([name]) => isKnown(name));
  return {
    ...table,
    version: 'another',
    pure: known(table.pure),
    touching: known(table.touching),
    impure: Object.fromEntries(impure),
  };
}

describe.each([
  ['mysql', mysqlFunctions],
  ['mariadb', mariadbFunctions],
] as const)('%s', (flavor, table) => {
  let cluster: OwnedCluster;
  let account: Account;
  let server: Server;
  let survey: Survey;

  beforeAll(async () => {
    const { command, prefix } = await findServer(flavor);
    cluster = await startCluster({ flavor, replicas: 0, statementLog: false });
    account = { host: cluster.primary.host, port: cluster.primary.port, ...admin };
    server = await openServer(account);
    const candidates = new Set([
      ...judgedNames,
      ...(await listedNames(server.connections[0])),
      ...sample(await binaryNames(prefix.at(-1) ?? command, isFull)),
    ]);
    const effort = isFull ? thoroughEffort(server) : quickEffort(server);
    survey = await surveyServer(server, candidates, effort);
  }, 600_000);

  afterAll(async () => {
    await closeServer(server);
    await cluster.stop();
  });

  it('has no function that nobody has judged', () => {
    expect(problems(survey)).toEqual([]);
  });

  it('proves its table', () => {
    const found = toTable(survey);
    expect(comparable(found, table)).toEqual(comparable(table, found));
  });

  const modes = ['DEFAULT', "'IGNORE_SPACE'", flavor === 'mariadb' ? "'ORACLE'" : "'ANSI'"];
  it.each(modes)(
    'runs no stored function in a text that the lexer lets through, in %s',
    async (mode) => {
      // Without the parser's veto, which is a second line.
      const judges = [flavor, 'unknown'] as const;
      const lexers = judges.map((dialect) => new TextJudge(new Vocabulary({ dialect })));
      const isSafe = (sql: string) => lexers.some((lexer) => lexer.judge(sql).reason === null);
      const listed = await listedNames(server.connections[0]);
      const names = [...knownWords(), ...sample(new Set([...judgedNames, ...listed]))];
      const share = isFull ? 1 : 6;
      expect(await findReached(server, [...new Set(names)], isSafe, mode, share)).toEqual([]);
    },
    600_000,
  );

  it('would find the ones that the lexer let through', async () => {
    const reached = await findReached(server, ['no_such_function'], () => true, 'DEFAULT', 1);
    expect(reached).toEqual(
      expect.arrayContaining([
        'SELECT no_such_function(1)',
        'SELECT no_such_function (1)',
        'SELECT EXTRACT(DAY FROM no_such_function(1))',
        'SELECT a FROM t ORDER BY a, no_such_function(a)',
      ]),
    );
  });

  it('finds names wherever they are listed', async () => {
    const names = await listedNames(server.connections[0]);
    expect([...names]).toEqual(expect.arrayContaining(['select', 'group_concat']));
  });

  it.each([
    ['abs', 'built-in', 'a native function'],
    ['count', 'built-in', 'its arguments are grammar'],
    ['utc_date', 'built-in', 'without arguments'],
    ['point', 'built-in', 'in MariaDB only with two arguments'],
    ['cast', 'keyword', 'its arguments are grammar of its own'],
    ['from', 'keyword', 'no function'],
    ['no_such_function', 'none', 'a stored function at best'],
  ])('says that %s is %s: %s', async (name, existence) => {
    const known = await findFunctions(server, [name]);
    expect(known.get(name) ?? 'none').toBe(existence);
  });

  it.each([
    ['abs', 'never', 'a native function wins'],
    ['count', 'with-gap', 'the manual wants it to touch its parenthesis'],
    ['select', 'never', 'a reserved word'],
    ['no_such_function', 'always', 'nothing but the stored function has this name'],
  ])('lets a stored function run as %s: %s, since %s', async (name, hijack) => {
    const found = await findHijacks(server, [name], quickEffort(server));
    expect(found.get(name)).toBe(hijack);
  });

  it('takes a call that fails beside the decoy for one that ran it', async () => {
    const tails = new Map([['abs', '(1, 2)']]);
    const found = await findHijacks(server, ['abs'], quickEffort(server), tails);
    expect(found.get('abs')).toBe('always');
  });

  describe('in two sessions', () => {
    let pair: SessionPair;
    beforeAll(async () => {
      await cluster.primary.query(
        'CREATE FUNCTION app.sets_a_variable() RETURNS INT BEGIN SET @a = 1; RETURN 1; END',
      );
      pair = await openSessionPair(account);
    });
    afterAll(() => closeSessionPair(pair));

    it('answers every pure function alike and leaves no trace', async () => {
      expect([...(await findImpurities(pair, survey.tails))]).toEqual([]);
    });

    it.each([
      ['connection_id', '()', 'two sessions get different answers'],
      ['user', '()', 'two sessions get different answers'],
      ['database', '()', 'two sessions get different answers'],
      ['last_insert_id', '()', 'two sessions get different answers'],
      ['found_rows', '()', 'two sessions get different answers'],
      ['row_count', '()', 'two sessions get different answers'],
      ['release_all_locks', '()', 'two sessions get different answers'],
      ['uuid_short', '()', 'two sessions get different answers'],
      ['last_insert_id', '(5)', 'it changes the session'],
      ['get_lock', "('rwsplit_plain', 0)", 'it changes the session'],
      ['sleep', '(0.5)', 'it waits'],
      ['app.sets_a_variable', '()', 'the server tracks a change'],
    ])('notices that %s%s is not pure', async (name, tail, why) => {
      expect([...(await findImpurities(pair, [[name, tail]]))]).toEqual([[name, why]]);
    });
  });
});
