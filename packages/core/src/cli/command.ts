import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isRwSplitError } from '../errors.ts';
import { anyPool, Explainer, roleOf, routeAlone } from '../explain/explain.ts';
import type { Facts } from '../statement/facts.ts';
import { readerFor } from './formats.ts';
import { type Item, type Reader, statement } from './items.ts';
import { LineSplitter } from './lines.ts';
import { Output, type TextStream } from './output.ts';
import { type Report, reportFor } from './report.ts';
import { SessionWalk, type Step } from './session-walk.ts';
import { type ExplainRequest, help, parseCommandLine, UsageError } from './usage.ts';

/** What the command reads and writes. */
export interface CommandIo {
  readonly stdin: AsyncIterable<string | Uint8Array> & { readonly isTTY?: boolean | undefined };
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

/** Exit codes; see `help`. */
const fine = 0;
const unreadable = 1;
const wrongUsage = 2;

/**
 * Runs the `rwsplit` command.
 *
 * @param args the arguments behind its name.
 * @returns the exit code.
 */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await run(args, io);
  } catch (error) {
    const isUsage = error instanceof UsageError || isRwSplitError(error);
    if (!isUsage) {
      throw error;
    }
    io.stderr.write(`rwsplit: ${error.message}\nSee: rwsplit --help\n`);
    return wrongUsage;
  }
}

async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const request = parseCommandLine(args);
  switch (request.kind) {
    case 'help':
      io.stdout.write(help);
      return fine;
    case 'version':
      io.stdout.write(`${version()}\n`);
      return fine;
    case 'explain':
      return new ExplainCommand(await withFile(request), io).run();
  }
}

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('../../package.json');
  return (manifest as { readonly version: string }).version;
}

/** `rwsplit explain app.sql`: an argument that names a file and can be no statement is a file. */
async function withFile(request: ExplainRequest): Promise<ExplainRequest> {
  const [text = '', ...others] = request.texts;
  if (text === '' || others.length > 0 || /\s/.test(text)) {
    return request;
  }
  const isFile =
    text === '-' ||
    (await stat(text)
      .then((it) => !it.isDirectory())
      .catch(() => false));
  return isFile ? { ...request, texts: [], files: [text] } : request;
}

class ExplainCommand {
  readonly #request: ExplainRequest;
  readonly #io: CommandIo;
  readonly #output: Output;
  readonly #report: Report;
  #explainer: Explainer;
  /** Sessions of the input that is being read, by thread. */
  readonly #sessions = new Map<string, SessionWalk>();
  #isLog = false;

  constructor(request: ExplainRequest, io: CommandIo) {
    this.#request = request;
    this.#io = io;
    this.#output = new Output(io.stdout);
    this.#report = reportFor(request, this.#output);
    this.#explainer = new Explainer(request.options);
  }

  async run(): Promise<number> {
    const { texts, files } = this.#request;
    let code = fine;
    if (texts.length > 0) {
      this.#readTexts(texts);
    } else if (files.length > 0) {
      for (const file of files) {
        code = Math.max(code, await this.#readFile(file));
      }
    } else if (this.#io.stdin.isTTY === true) {
      throw new UsageError('expected SQL as an argument, --file, or on standard input');
    } else {
      code = await this.#read('standard input', this.#io.stdin);
    }
    this.#report.end(code === fine);
    await this.#output.flush(true);
    return code;
  }

  #readTexts(texts: readonly string[]): void {
    const { format } = this.#request;
    for (const text of texts) {
      if (format === null) {
        this.#take([statement(text)], 'argument');
      } else {
        const reader = readerFor(format, () => {});
        const items = text.split('\n').flatMap((line) => reader.line(line));
        this.#take([...items, ...reader.end()], 'argument');
      }
    }
  }

  async #readFile(file: string): Promise<number> {
    return file === '-'
      ? this.#read('standard input', this.#io.stdin)
      : this.#read(file, createReadStream(file));
  }

  async #read(name: string, input: AsyncIterable<string | Uint8Array>): Promise<number> {
    this.#sessions.clear();
    this.#isLog = this.#request.format === 'general-log';
    const reader = this.#reader(name);
    const lines = new LineSplitter();
    try {
      for await (const chunk of input) {
        this.#takeLines(lines.push(chunk), reader, name);
        await this.#output.flush();
      }
    } catch (error) {
      return this.#cannotRead(name, error);
    }
    this.#takeLines(lines.end(), reader, name);
    this.#take(reader.end(), name);
    return fine;
  }

  #reader(name: string): Reader {
    const { format } = this.#request;
    const begin = (found: string, how: string) => {
      this.#isLog = found === 'general-log';
      this.#report.begin(`${name}: ${found}${how}`);
    };
    if (format !== null) {
      begin(format, '');
    }
    return readerFor(format, (found) => begin(found, ' (guessed)'));
  }

  #takeLines(lines: readonly string[], reader: Reader, name: string): void {
    for (const line of lines) {
      this.#take(reader.line(line), name);
    }
  }

  async #cannotRead(name: string, error: unknown): Promise<number> {
    if (!(error instanceof Error && 'syscall' in error)) {
      throw error;
    }
    await this.#output.flush(true);
    this.#io.stderr.write(`rwsplit: cannot read ${name}: ${error.message}\n`);
    return unreadable;
  }

  #take(items: readonly Item[], name: string): void {
    for (const item of items) {
      this.#takeItem(item, name);
    }
  }

  #takeItem(item: Item, name: string): void {
    switch (item.kind) {
      case 'statement':
        this.#statement(item.sql, item.thread);
        break;
      case 'session':
        this.#sessions.delete(item.thread);
        break;
      case 'server':
        this.#server(item.version);
        break;
      case 'problem':
        this.#io.stderr.write(`rwsplit: ${name}, line ${item.line}: ${item.what}; skipped\n`);
    }
  }

  #statement(sql: string, thread: string | null): void {
    const explainer = this.#explainer;
    const facts = explainer.classify(sql);
    this.#report.add({ sql, thread, facts, explainer, ...this.#route(facts, thread) });
  }

  #route(facts: Facts, thread: string | null): Step {
    const { isSession, isAlone } = this.#request;
    if (isAlone || !(isSession || this.#isLog)) {
      const route = routeAlone(facts, anyPool);
      return { route, role: roleOf(route) };
    }
    const key = thread ?? '';
    const session = this.#sessions.get(key) ?? new SessionWalk(isSession);
    this.#sessions.set(key, session);
    return session.step(facts);
  }

  /** What the server that wrote a log is, unless the command line says. */
  #server(serverVersion: string): void {
    const { options } = this.#request;
    this.#sessions.clear();
    if (options.dialect !== undefined || options.version !== undefined) {
      return;
    }
    const dialect = /mariadb/i.test(serverVersion) ? 'mariadb' : 'mysql';
    this.#explainer = new Explainer({ ...options, dialect, version: serverVersion });
  }
}
