import { open, stat } from 'node:fs/promises';
import { admin, replication } from './accounts.ts';

/** A moment in the log of one server. */
export interface Mark {
  readonly file: string;
  readonly offset: number;
}

/** One line of a server's general log. */
export interface Statement {
  readonly threadId: number;
  /** The protocol command: `Query`, `Prepare`, `Execute`, `Init DB`, `Connect`, … */
  readonly command: string;
  /** The text as the server got it, in `Execute` with the values in place. */
  readonly sql: string;
  readonly user: string;
}

export interface StatementFilter {
  readonly since?: Mark;
  readonly containing?: string;
}

/**
 * Reads `mysql.general_log` from its file. The table's CSV engine writes a row at once and in one
 * line (line breaks inside are escaped), so the file needs no parsing rule that SQL could fool,
 * reading it is no query, and it can be read while the server hangs or is dead.
 */
export class StatementLog {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async mark(): Promise<Mark> {
    return { file: this.#file, offset: (await stat(this.#file)).size };
  }

  async read({ since, containing = '' }: StatementFilter = {}): Promise<Statement[]> {
    if (since && since.file !== this.#file) throw new Error('this mark is of another server');
    const bytes = await readFrom(this.#file, since?.offset ?? 0);
    // A row that is being written has no line end yet.
    const lines = bytes.toString('utf8').split('\n').slice(0, -1);
    const escaped = withEscapes(containing);
    return lines
      .filter((line) => line.includes(escaped))
      .map(parseLine)
      .filter((each) => isApplication(each.user) && each.sql.includes(containing));
  }
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.max(0, size - offset));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

// event_time, user_host, thread_id, server_id, command_type; what follows, up to the last quote,
// is the argument, which can have millions of characters: too many for a pattern.
const beforeArgument = /^"[^"]*","((?:[^"\\]|\\.)*)",(\d+),\d+,"([^"]*)","/;

function parseLine(line: string): Statement {
  const [before = '', userHost = '', threadId, command = ''] = beforeArgument.exec(line) ?? [];
  if (threadId === undefined)
    throw new Error(`not a row of the general log: ${line.slice(0, 200)}`);
  // `account[login] @ host [address]`; a replication thread has no login.
  const user = /\[(.*?)\] @ /.exec(userHost)?.[1] ?? '';
  return {
    threadId: Number(threadId),
    command,
    sql: withoutEscapes(line.slice(before.length, -1)),
    user,
  };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r' };

function withoutEscapes(field: string): string {
  return field.includes('\\')
    ? field.replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter)
    : field;
}

function withEscapes(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

/** Not the tests' own queries, not replication (a thread of MariaDB's is `<replication_slave>`). */
function isApplication(user: string): boolean {
  return user !== '' && !user.startsWith('<') && user !== admin.user && user !== replication.user;
}
