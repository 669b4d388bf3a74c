import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from '@rwsplit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../packages/core/src/cli/command.ts';
import { help } from '../../packages/core/src/cli/usage.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Given {
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Runs the command within this process. */
async function run(
  args: readonly string[],
  { stdin = '', isTTY, columns }: Given = {},
): Promise<Ran> {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write(text: string) {
      written[name] += text;
      return true;
    },
    on: () => {},
    columns,
  });
  const input = (async function* () {
    yield stdin;
  })();
  const code = await runCommand(args, {
    stdin: Object.assign(input, { isTTY }),
    stdout: stream('out'),
    stderr: stream('err'),
  });
  return { code, ...written };
}

/** Role, reason and SQL of each line of `--json`. */
async function answers(args: readonly string[], stdin = ''): Promise<string[]> {
  const { out } = await run(['explain', '--json', ...args], { stdin });
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ role, reason, sql }) => `${role} ${reason}: ${sql}`);
}

const script = [
  'SELECT 1;',
  'BEGIN;',
  'SELECT a FROM t;',
  'ALTER TABLE t ADD b INT;',
  'SELECT a FROM t;',
  'SET @a = 1;',
  'SELECT 2;',
].join('\n');

describe('rwsplit', () => {
  const folder = mkdtemp(join(tmpdir(), 'rwsplit-cli-'));
  let file = '';
  beforeAll(async () => {
    file = join(await folder, 'app.sql');
    await writeFile(file, 'SELECT a FROM t;\nDELETE FROM t;\n');
  });
  afterAll(async () => rm(await folder, { recursive: true }));

  it.each([['--help'], ['-h'], ['help'], ['explain', '--help']])(
    '%s explains itself',
    async (...args) => {
      expect(await run(args)).toEqual({ code: 0, out: help, err: '' });
    },
  );

  it('has help that fits a terminal and names every option', () => {
    const lines = help.split('\n');
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    for (const option of ['file', 'format', 'dialect', 'server-version', 'pure-function', 'top']) {
      expect(help).toContain(`--${option} <`);
    }
    for (const option of ['primary-table', 'session', 'alone', 'json', 'summary', 'version']) {
      expect(help).toContain(`--${option}`);
    }
  });

  it('tells its version', async () => {
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [[], 'expected a command: explain'],
    [['explian'], "unknown command 'explian'; did you mean 'explain'?"],
    [['explain', '--dialekt', 'x'], "unknown option '--dialekt'; did you mean '--dialect'?"],
    [['explain', '-- why\nSELECT 1'], 'SQL that begins with a dash goes behind --'],
    [['explain', '--dialect', 'x', 'SELECT 1'], '--dialect: expected mysql or mariadb'],
    [['explain', '--format', 'json'], "--format: expected sql, jsonl, general-log, found 'json'"],
    [['explain', '--top', 'many'], "--top: expected a number, found 'many'"],
    [['explain', '--file'], 'argument missing'],
    [['explain', '--server-version', 'new', 'SELECT 1'], 'version: expected a server version'],
    [['explain', '--pure-function', 'sleep', 'SELECT 1'], 'pureFunctions[0]: expected a stored'],
    [['explain', '--primary-table', 'a b.c.d', 'SELECT 1'], 'primaryTables[0]: expected a table'],
    [['explain', '--session', '--alone', 'SELECT 1'], 'expected --session or --alone'],
    [['explain', '--json', '--summary', 'SELECT 1'], 'expected --json or --summary'],
    [['explain', '--file', 'x', 'SELECT 1'], 'expected SQL as arguments or --file'],
  ])('%j is wrong usage: %s', async (args, message) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err).toContain('rwsplit --help');
  });

  it('asks for input on a terminal', async () => {
    const { code, err } = await run(['explain'], { isTTY: true });
    expect(code).toBe(2);
    expect(err).toContain('expected SQL');
  });

  it('says what it cannot read', async () => {
    const missing = await run(['explain', '--file', join(await folder, 'none.sql')]);
    expect(missing).toMatchObject({ code: 1, out: '' });
    expect(missing.err).toMatch(/^rwsplit: cannot read .*none\.sql: ENOENT/);
    expect(await run(['explain', '--json', '--file', await folder])).toMatchObject({ code: 1 });
    const both = await run(['explain', '--json', '--file', 'none.sql', '--file', file]);
    expect(both.code).toBe(1);
    expect(both.out.split('\n')).toHaveLength(3);
  });
});

describe('the answer', () => {
  it('as JSON is what explain() says, one line per statement in order', async () => {
    const texts = ['SELECT price(a) FROM s.t', 'DELETE FROM u', '/* route:primary */ SELECT 1'];
    const stdin = texts.map((sql) => JSON.stringify({ sql })).join('\n');
    const options = ['--dialect', 'mysql', '--pure-function', 'price', '--primary-table', 'u'];
    const { code, out, err } = await run(['explain', '--json', ...options], { stdin });
    expect([code, err]).toEqual([0, '']);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(
      texts.map((sql) => ({
        sql,
        ...explain(sql, { dialect: 'mysql', pureFunctions: ['price'], primaryTables: ['u'] }),
      })),
    );
  });

  it('as a table has a line per statement and a summary', async () => {
    const stdin = "SELECT 1;\n-- why\nSELECT 2;\nDELETE\n\tFROM `t\u001b[31m`;\nSELECT f('x');";
    const { code, out } = await run(['explain'], { stdin });
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'standard input: sql (guessed)',
        'role     reason                        sql',
        'replica  read                          SELECT 1',
        'replica  read                          SELECT 2',
        'primary  not-a-read (delete)           DELETE FROM `t·[31m`',
        "primary  unknown-function (f)          SELECT f('x')",
        '',
        '4 statements: 2 on a replica (50.0 %), 2 on the primary',
        '',
        'By reason',
        '  count    share  role     reason',
        '      2   50.0 %  replica  read',
        '      1   25.0 %  primary  not-a-read',
        '      1   25.0 %  primary  unknown-function',
        '',
        'By fingerprint',
        '  count  role     reason                fingerprint       example',
        '      2  replica  read                  e1c71d1661ae46e0  SELECT 1',
        `      1  primary  not-a-read (delete)   ${explain('DELETE FROM `t\u001b[31m`').fingerprint}  DELETE FROM \`t·[31m\``,
        `      1  primary  unknown-function (f)  ${explain("SELECT f('x')").fingerprint}  SELECT f('x')`,
        '',
        'Without --dialect, a function is known if it is built into both MySQL and MariaDB.',
        '',
      ].join('\n'),
    );
  });

  it('is as wide as the terminal', async () => {
    const stdin = `SELECT ${'a, '.repeat(500)}b;`;
    const { out } = await run(['explain'], { stdin, columns: 80 });
    const [, , line = ''] = out.split('\n');
    expect(line).toHaveLength(80);
    expect(line).toMatch(/…$/);
  });

  it('about one argument has all that is known', async () => {
    const { out } = await run(['explain', 'SELECT MAX(a) FROM s.t, u']);
    expect(out).toContain('replica  read');
    expect(out).toMatch(
      / {2}kind +read\n {2}tables +s\.t, u\n {2}functions +max\n {2}fingerprint +\w{16}\n/,
    );
  });

  it('can be the summary alone, and as long as asked for', async () => {
    const stdin = Array.from({ length: 60 }, (_, index) => `SELECT a${index} FROM t;`).join('\n');
    const short = await run(['explain', '--summary', '--top', '3'], { stdin });
    expect(short.out).not.toContain('a59');
    expect(short.out).toContain('… and 57 more; --top 0 lists all');
    const all = await run(['explain', '--summary', '--top', '0'], { stdin });
    expect(all.out).toContain('SELECT a59 FROM t');
    expect(all.out.split('\n').filter((line) => line.includes('FROM t'))).toHaveLength(60);
  });

  it('asks for a dialect only where that may help', async () => {
    const note = 'Without --dialect';
    expect((await run(['explain', 'SELECT ANY_VALUE(1)'])).out).toContain(note);
    expect((await run(['explain', 'SELECT 1'])).out).not.toContain(note);
    const args = ['explain', '--dialect', 'mariadb', 'SELECT ANY_VALUE(1)'];
    expect((await run(args)).out).not.toContain(note);
  });

  it('about nothing says so', async () => {
    expect((await run(['explain'], { stdin: '-- empty\n' })).out).toContain('No statements.');
    expect(await run(['explain', '--json'], { stdin: '' })).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('the input', () => {
  it('as arguments is one text each', async () => {
    expect(await answers(['SELECT 1; SELECT 2', 'SELECT 3'])).toEqual([
      'primary multiple-statements: SELECT 1; SELECT 2',
      'replica read: SELECT 3',
    ]);
    expect(await answers(['--', '-- why\nSELECT 4'])).toEqual(['replica read: -- why\nSELECT 4']);
    expect(await answers(['--format', 'sql', 'SELECT 1; SELECT 2'])).toEqual([
      'replica read: SELECT 1',
      'replica read: SELECT 2',
    ]);
  });

  it('may be files, also one named as the argument', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rwsplit-cli-'));
    try {
      const file = join(folder, 'app.sql');
      await writeFile(file, 'SELECT a FROM t;\nDELETE FROM t;\n');
      const expected = ['replica read: SELECT a FROM t', 'primary not-a-read: DELETE FROM t'];
      expect(await answers(['--file', file])).toEqual(expected);
      expect(await answers([file])).toEqual(expected);
      expect(await answers(['-f', file, '-f', '-'], 'SELECT 2')).toEqual([
        ...expected,
        'replica read: SELECT 2',
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    ['SELECT 1;', 'sql'],
    ['\n\n-- SELECT\n\nSELECT 1;', 'sql'],
    ['SELECT 1 FROM\n{ OJ a LEFT JOIN b ON 1 };', 'sql'],
    ['\n {"sql": "SELECT 1"}', 'jsonl'],
    ['\t\t     5 Query\tSELECT 1', 'general-log'],
    ['b\nFROM t\n\t\t     5 Query\tSELECT 1', 'general-log'],
  ])('%j is guessed to be %s', async (stdin, format) => {
    const { out } = await run(['explain'], { stdin });
    expect(out).toContain(`standard input: ${format} (guessed)`);
    expect(out).toContain('replica  read                          SELECT 1');
  });

  it('is not guessed where it is named', async () => {
    const stdin = '{"sql": "SELECT 1"}';
    const { out } = await run(['explain', '--format', 'sql'], { stdin });
    expect(out).toContain('standard input: sql\n');
    expect(out).toContain('primary  unrecognised');
  });

  it('may have lines that are no JSON: they are told by number', async () => {
    const stdin = '{"sql": "SELECT 1"}\noops\n{"sql": "SELECT 2"}';
    const { code, out, err } = await run(['explain', '--json'], { stdin });
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(2);
    expect(err).toBe('rwsplit: standard input, line 2: expected {"sql": "…"}; skipped\n');
  });
});

describe('sessions', () => {
  it('of a file are one for each statement', async () => {
    expect(await answers([], script)).toEqual([
      'replica read: SELECT 1',
      'primary not-a-read: BEGIN',
      'replica read: SELECT a FROM t',
      'primary not-a-read: ALTER TABLE t ADD b INT',
      'replica read: SELECT a FROM t',
      'primary not-a-read: SET @a = 1',
      'replica read: SELECT 2',
    ]);
  });

  it('of a file are one with --session', async () => {
    expect(await answers(['--session'], script)).toEqual([
      'replica read: SELECT 1',
      'primary not-a-read: BEGIN',
      'primary transaction: SELECT a FROM t',
      'primary transaction: ALTER TABLE t ADD b INT',
      // The ALTER has committed, and its session has written.
      'primary pinned:has-written: SELECT a FROM t',
      'primary pinned:has-written: SET @a = 1',
      // State comes before writes: a write binds to the primary, a variable to its connection.
      'primary pinned:user-variable: SELECT 2',
    ]);
  });

  const log = [
    '\t\t     5 Connect\tapp@localhost on shop',
    '\t\t     5 Query\tSET NAMES utf8mb4',
    '\t\t     6 Query\tBEGIN',
    '\t\t     5 Query\tSELECT 5',
    '\t\t     6 Query\tSELECT 6',
    '\t\t     5 Query\tDELETE FROM t',
    '\t\t     6 Query\tCOMMIT',
    '\t\t     5 Query\tSELECT 55',
    '\t\t     6 Query\tSELECT 66',
    '\t\t     5 Query\tCREATE TEMPORARY TABLE x (a INT)',
    '\t\t     5 Query\tSELECT 555',
    '\t\t     5 Quit\t',
    '\t\t     5 Query\tSELECT 5555',
  ].join('\n');

  it('of a log are those of its threads', async () => {
    expect(await answers([], log)).toEqual([
      'primary not-a-read: SET NAMES utf8mb4',
      'primary not-a-read: BEGIN',
      // SET behind the connect was its set-up.
      'replica read: SELECT 5',
      'primary transaction: SELECT 6',
      'primary not-a-read: DELETE FROM t',
      'primary transaction: COMMIT',
      // The pool had the connection back in between.
      'replica read: SELECT 55',
      'replica read: SELECT 66',
      'primary not-a-read: CREATE TEMPORARY TABLE x (a INT)',
      'primary pinned:temporary-table: SELECT 555',
      'replica read: SELECT 5555',
    ]);
  });

  it('of a log are whole threads with --session', async () => {
    expect((await answers(['--session'], log)).filter((line) => line.includes('SELECT'))).toEqual([
      'primary pinned:session-variable: SELECT 5',
      'primary transaction: SELECT 6',
      'primary pinned:session-variable: SELECT 55',
      // A COMMIT may have written.
      'primary pinned:has-written: SELECT 66',
      'primary pinned:session-variable: SELECT 555',
      'replica read: SELECT 5555',
    ]);
  });

  it('of a log are none with --alone', async () => {
    const reads = (await answers(['--alone'], log)).filter((line) => line.includes('SELECT'));
    expect(reads.every((line) => line.startsWith('replica read'))).toBe(true);
  });

  it('of a log know the server that wrote it', async () => {
    const version = (name: string) => `/usr/sbin/x, Version: ${name}. started with:\n`;
    const entry = '\t\t     6 Query\tSELECT ANY_VALUE(a) FROM t';
    const of = async (name: string, ...args: string[]) => answers(args, version(name) + entry);
    expect(await of('9.7.4 ((Debian))')).toEqual(['replica read: SELECT ANY_VALUE(a) FROM t']);
    const unknown = 'primary unknown-function: SELECT ANY_VALUE(a) FROM t';
    expect(await of('10.11.6-MariaDB-log (Debian)')).toEqual([unknown]);
    expect(await of('9.7.4 ((Debian))', '--dialect', 'mariadb')).toEqual([unknown]);
  });

  it('follow what a statement asks about to the connection of the one before', async () => {
    const text = 'SELECT 1; SHOW WARNINGS; SELECT a FROM t FOR UPDATE; SHOW WARNINGS';
    expect(await answers(['--session'], text)).toEqual([
      'replica read: SELECT 1',
      'replica follow-up: SHOW WARNINGS',
      'primary locking-read: SELECT a FROM t FOR UPDATE',
      'primary follow-up: SHOW WARNINGS',
    ]);
  });
});
