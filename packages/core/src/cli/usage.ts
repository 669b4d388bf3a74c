import { parseArgs } from 'node:util';
import { suggestion } from '../config/checks.ts';
import type { ExplainOptions } from '../explain/options.ts';

/** Forms of input. */
export const formats = ['sql', 'jsonl', 'general-log'] as const;

/** One of {@link formats}. */
export type Format = (typeof formats)[number];

/** A command line that asks for something. */
export type Request =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | ({ readonly kind: 'explain' } & ExplainRequest);

/** What `rwsplit explain` is asked for. */
export interface ExplainRequest {
  /** Texts given as arguments. */
  readonly texts: readonly string[];
  readonly files: readonly string[];
  /** `null`: to be guessed. */
  readonly format: Format | null;
  readonly options: ExplainOptions;
  readonly isJson: boolean;
  /** All of a file, or of one thread of a log, is one session. */
  readonly isSession: boolean;
  /** Each statement of a log stands alone. */
  readonly isAlone: boolean;
  /** The summary without the statements. */
  readonly isSummary: boolean;
  /** How many kinds of statement the summary lists. */
  readonly top: number;
}

/** A command line that cannot be understood; its message says why. */
export class UsageError extends Error {}

const options = {
  alone: { type: 'boolean' },
  dialect: { type: 'string' },
  file: { type: 'string', short: 'f', multiple: true },
  format: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  'primary-table': { type: 'string', multiple: true },
  'pure-function': { type: 'string', multiple: true },
  'server-version': { type: 'string' },
  session: { type: 'boolean' },
  summary: { type: 'boolean' },
  top: { type: 'string' },
  version: { type: 'boolean', short: 'v' },
} as const;

const optionNames = Object.keys(options).map((name) => `--${name}`);
const commandNames = ['explain', 'help', 'version'];
const shownByDefault = 50;

/** @throws {@link UsageError} */
export function parseCommandLine(args: readonly string[]): Request {
  const { values, positionals } = parsed(args);
  const [command, ...texts] = positionals;
  if (values.help === true || command === 'help') {
    return { kind: 'help' };
  }
  if (values.version === true || command === 'version') {
    return { kind: 'version' };
  }
  if (command !== 'explain') {
    throw new UsageError(
      command === undefined
        ? 'expected a command: explain'
        : `unknown command '${shortened(command)}'${suggestion(command, commandNames)}`,
    );
  }
  const request: ExplainRequest = {
    texts,
    files: values.file ?? [],
    format: formatOf(values.format),
    options: optionsOf(values),
    isJson: values.json === true,
    isSession: values.session === true,
    isAlone: values.alone === true,
    isSummary: values.summary === true,
    top: topOf(values.top),
  };
  refuseContradictions(request);
  return { kind: 'explain', ...request };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(parseProblem(error));
  }
}

/** Node's own sentences, and what the unknown option might have been. */
function parseProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const unknown = /^Unknown option '(--?[^']+)'/.exec(message)?.[1];
  if (unknown === undefined) {
    return message;
  }
  const isSql = /^--?\s/.test(unknown);
  const hint = isSql
    ? '; SQL that begins with a dash goes behind --'
    : suggestion(unknown, optionNames);
  return `unknown option '${shortened(unknown)}'${hint}`;
}

function formatOf(given: string | undefined): Format | null {
  if (given === undefined) {
    return null;
  }
  const format = formats.find((one) => one === given);
  if (format === undefined) {
    const hint = suggestion(given, formats);
    throw new UsageError(
      `--format: expected ${formats.join(', ')}, found '${shortened(given)}'${hint}`,
    );
  }
  return format;
}

function topOf(given: string | undefined): number {
  if (given === undefined) {
    return shownByDefault;
  }
  if (!/^\d{1,6}$/.test(given)) {
    throw new UsageError(`--top: expected a number, found '${shortened(given)}'`);
  }
  return Number(given);
}

function optionsOf(values: {
  readonly dialect?: string | undefined;
  readonly 'server-version'?: string | undefined;
  readonly 'pure-function'?: readonly string[] | undefined;
  readonly 'primary-table'?: readonly string[] | undefined;
}): ExplainOptions {
  const { dialect, 'server-version': version } = values;
  if (dialect !== undefined && dialect !== 'mysql' && dialect !== 'mariadb') {
    throw new UsageError(`--dialect: expected mysql or mariadb, found '${shortened(dialect)}'`);
  }
  return {
    ...(dialect === undefined ? {} : { dialect }),
    ...(version === undefined ? {} : { version }),
    pureFunctions: values['pure-function'] ?? [],
    primaryTables: values['primary-table'] ?? [],
  };
}

function refuseContradictions(request: ExplainRequest): void {
  if (request.texts.length > 0 && request.files.length > 0) {
    throw new UsageError('expected SQL as arguments or --file, found both');
  }
  if (request.isSession && request.isAlone) {
    throw new UsageError('expected --session or --alone, found both');
  }
  if (request.isJson && request.isSummary) {
    throw new UsageError('expected --json or --summary, found both');
  }
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/** What `rwsplit --help` prints. */
export const help = `rwsplit explain: where would each statement run, and why?

Usage
  rwsplit explain 'SELECT …'              the SQL of one query() call; several are taken one by one
  rwsplit explain --file app.sql          a file; --file may be repeated
  … | rwsplit explain                     standard input
  rwsplit explain --format general-log --file mysql.log

Nothing is connected to and nothing is run. The decision is made by the code that routes in the
library, for a pool with replicas.

Input
  --format sql          statements as the mysql client splits them: quotes, comments, DELIMITER
  --format jsonl        one {"sql": "…"} per line
  --format general-log  the general query log of MySQL or MariaDB: Query and Execute entries
  Without --format it is guessed from the first lines, and printed.

Sessions
  Statements of files stand alone, each as if sent with pool.query(). With --session, the whole
  input is one session, in order: transactions, SET, temporary tables and writes have consequences.
  In a general log each thread has its own sessions: what is inside a transaction runs on the
  primary (reason: transaction), and session state binds (reason: pinned:…) until the thread ends.
  A log does not show when an application gave its connection back to its pool: that is taken to
  happen after each transaction and each statement outside one, and SET statements right after
  the connect are taken for the set-up of the connection. --session takes each thread for one
  session from connect to quit; --alone judges each statement by itself.

Options
  -f, --file <path>           read this file; - is standard input
      --format <format>       sql, jsonl or general-log
      --dialect <dialect>     mysql or mariadb. Default: what the log says, else only what is
                              safe in both goes to a replica
      --server-version <v>    as in SELECT VERSION(): 8.0.36; counts together with --dialect
      --pure-function <name>  a stored function that only reads, f or db.f; may be repeated
      --primary-table <name>  a table that is read on the primary, t or db.t; may be repeated
      --session, --alone      see Sessions
      --json                  one JSON object per statement, in the order of the input:
                              {"sql","role","reason","word","kind","tables","functions",
                              "fingerprint","hint","veto"}, and "thread" for a log
      --summary               the summary without the statements
      --top <n>               lines of the summary by fingerprint; 0: all. Default: ${shownByDefault}
  -h, --help                  this text
  -v, --version               the version of rwsplit

Exit codes
  0  everything was read, whatever the answer; lines that are no statement are told on stderr
  1  an input could not be read
  2  the command line was wrong

Examples
  rwsplit explain --dialect mysql 'SELECT price(id) FROM item' --pure-function price
  rwsplit explain --dialect mariadb --summary --file /var/log/mysql/general.log
  zcat general.log.gz | rwsplit explain --format general-log --summary
  rwsplit explain --json --file app.sql | jq -r 'select(.role == "primary") | .sql'

The reasons are explained in docs/routing-rules.md.
`;
