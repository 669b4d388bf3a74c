import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminConnection } from './admin-connection.ts';
import type { ServerProgram } from './find.ts';
import { lastLines } from './run.ts';

const startDeadlineMs = 30_000;
const shutdownDeadlineMs = 30_000;

export interface ProcessOptions {
  readonly program: ServerProgram;
  readonly args: readonly string[];
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
    const deadline = Date.now() + startDeadlineMs;
    for (;;) {
      const cause = await connection.query('SELECT 1').then(
        () => undefined,
        (error: unknown) => error ?? 'unknown',
      );
      if (cause === undefined) return;
      if (this.#child === undefined || Date.now() > deadline) {
        throw new Error(`the server does not answer:\n${this.#lastWords()}`, { cause });
      }
      await sleep(20);
    }
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  hang(): void {
    process.kill(this.pid, 'SIGSTOP');
    this.#isHung = true;
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
      [...program.prefix, '--no-defaults', ...program.installation, ...args],
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
