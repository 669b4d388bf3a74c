import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const seed = process.env['FC_SEED'] ?? '20261121';

/** A short one, in a process of its own: what nobody catches, and what keeps it alive, is seen. */
describe.each(flavors)('on %s', (flavor) => {
  it('loses nothing, fails no read, and leaves nothing behind under random faults', async () => {
    const args = ['--flavor', flavor, '--minutes', '0.15', '--seed', seed];
    const { stdout } = await run(
      process.execPath,
      ['--import', 'tsx', 'test/soak/main.ts', ...args],
      { cwd: root, timeout: 170_000 },
      // Of its exit code, its own words say more.
    ).catch((error: unknown) => ({ stdout: String(Object(error).stdout ?? error) }));
    console.log(`soak, ${flavor}, seed ${seed}:\n${stdout}`);
    expect(stdout.split('\n').filter((line) => line.startsWith('WRONG'))).toEqual([]);
    // It has come to its end.
    expect(stdout).toMatch(/^closed: .*\nwarnings: /m);
    expect(stdout).toMatch(/^reads while the primary was well: [1-9]/m);
  }, 180_000);
});
