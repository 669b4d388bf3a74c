import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  /** Text given to the command's standard input. */
  readonly input?: string;
}

/** Runs a command to its end. Returns its standard output; throws with its last words if it fails. */
export function run(command: string, args: readonly string[], options: RunOptions = {}) {
  return new Promise<string>((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, LC_ALL: 'C' },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    // EPIPE: the command went away early; its exit code and stderr say why.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} failed (${signal ?? code}):\n${lastLines(stderr, 20)}`));
    });
  });
}

/** The end of a text, for error messages. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
