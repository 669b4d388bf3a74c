import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminConnection } from './admin-connection.ts';
import type { ServerProgram } from './find.ts';
import { lastLines, run } from './run.ts';

const startDeadlineMs = 60_000;
const shutdownDeadlineMs = 30_000;

export interface ProcessOptions {
  readonly program: ServerProgram;
  /** The server's own arguments, asked for at every start. */
  readonly args: () => readonly string[];
  readonly folder: string;
  /** Folder in which a file named by its process id stands for each running server. */
  readonly pids: string;
}

/** The operating system process of one server. */
export class ServerProcess {
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  #isHung = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get isHung(): boolean {
    return this.#isHung;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the server is not running');
    return this.#child.pid;
  }

  /** Starts the server and waits until it answers `connection`. */
  async start(connection: AdminConnection): Promise<void> {
    this.#spawn();
    // A MariaDB that was killed crashes in its recovery now and then, and recovers the next time.
    let isAgain = false;
    const deadline = Date.now() + startDeadlineMs;
    for (;;) {
      const cause = await connection.query('SELECT 1').then(
        () => undefined,
        (error: unknown) => error ?? 'unknown',
      );
      if (cause === undefined) return;
      if (this.#child === undefined && !isAgain) {
        isAgain = true;
        this.#spawn();
      }
      if (this.#child === undefined || Date.now() > deadline) {
        throw new Error(`the server does not answer:\n${this.#lastWords()}`, { cause });
      }
      await sleep(20);
    }
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  async hang(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    this.#isHung = true;
    while (this.#isHung && !(await isStopped(pid))) await sleep(1);
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
    this.#isHung = false;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; resolves when the process is gone. */
  async shutdown(): Promise<void> {
    if (this.#isHung) this.resume();
    // A shutdown can hang on a client's open transaction; a test should not.
    const slow = setTimeout(() => void this.kill(), shutdownDeadlineMs);
    await this.#end('SIGTERM');
    clearTimeout(slow);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  #spawn(): void {
    const { program, args, folder, pids } = this.#options;
    const log = openSync(join(folder, 'error.log'), 'a');
    const child = spawn(
      program.command,
      [...program.prefix, '--no-defaults', ...program.installation, ...args()],
      // Detached: a Ctrl-C in the terminal is for the tests, which then stop the servers in order.
      { cwd: folder, detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    this.#child = child;
    this.#isHung = false;
    const gone = () => {
      this.#child = undefined;
      this.#isHung = false;
      if (child.pid !== undefined) rmSync(join(pids, `${child.pid}`), { force: true });
    };
    child.on('exit', gone);
    child.on('error', gone);
    if (child.pid !== undefined) writeFileSync(join(pids, `${child.pid}`), '');
  }

  #lastWords(): string {
    return lastLines(readFileSync(join(this.#options.folder, 'error.log'), 'utf8'), 15);
  }
}

/** Whether all threads stand still: they stop one after the other, some time after the signal. */
async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => undefined);
  if (threads === undefined)
    return (await run('ps', ['-o', 'stat=', '-p', `${pid}`])).includes('T');
  const states = await Promise.all(threads.map((thread) => threadState(pid, thread)));
  return states.every((state) => state === 'T');
}

/** proc(5): the state stands after the name, which is in parentheses and may contain some. */
async function threadState(pid: number, thread: string): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ') T');
  return /.*\) (\w)/s.exec(stat)?.[1];
}
