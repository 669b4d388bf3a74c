import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

// Waits on its standard input. "done" dismisses it; the end of input means that the owner died,
// however it died. Files created by a dying server can make `rm` fail: it tries again.
const script = `
read -r word
[ "$word" = done ] && exit 0
for file in "$1"/pids/*; do kill -9 "\${file##*/}" 2>/dev/null; done
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  rm -rf "$1" 2>/dev/null && exit 0
  sleep 0.1
done`;

/**
 * A detached process that kills the servers of a folder and removes the folder when this process
 * is gone. Servers register by a file in `pids`, named by their process id.
 */
export class Watchdog {
  readonly pids: string;
  readonly #child: ChildProcess;

  constructor(folder: string) {
    this.pids = join(folder, 'pids');
    mkdirSync(this.pids, { recursive: true });
    this.#child = spawn('/bin/sh', ['-c', script, 'watchdog', folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.unref();
    this.#child.stdin?.on('error', () => {});
  }

  /** To be called when the folder is cleaned up or handed on. */
  dismiss(): void {
    this.#child.stdin?.end('done\n');
  }
}
