import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = 'packages/core/src/cli/main.ts';

function start(...args: string[]) {
  return spawn(process.execPath, ['--import', 'tsx', program, ...args], { cwd: root });
}

describe('the program', () => {
  it('reads what it is piped, answers on stdout, and ends', async () => {
    const child = start('explain', '--json');
    child.stdin.end('SELECT 1;\nDELETE FROM t;\n');
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    expect([code, err]).toEqual([0, '']);
    const lines = out.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).role)).toEqual(['replica', 'primary']);
  });

  it('tells wrong usage by its exit code and on stderr', async () => {
    const child = start('explain', '--nonsense');
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain("unknown option '--nonsense'");
  });

  it('ends in peace when nobody reads on, however much there is', async () => {
    const child = start('explain');
    // More than pipes and buffers hold.
    const statements = 'SELECT id, name FROM person WHERE id = 1;\n'.repeat(100_000);
    // It stops reading, too.
    child.stdin.on('error', () => {});
    child.stdin.end(statements);
    const err = text(child.stderr);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(await err).toBe('');
  });
});
