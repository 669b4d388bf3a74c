import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** The demo as `npm run demo` runs it, once everything is installed. */
describe.each(flavors)('the demo on %s', (flavor) => {
  it('shows who ran what, by the servers’ own logs, and reads on without a replica', async () => {
    const { stdout } = await run(
      process.execPath,
      ['--import', 'tsx', 'examples/demo/main.ts', flavor],
      { cwd: root, timeout: 90_000 },
    );
    const lines = stdout.split('\n');
    const rows = lines.filter((line) => /^ {4}\S/.test(line)).map((line) => line.trim());
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const [server = '', reason = ''] = row.split(/\s+/);
      expect(server, row).toMatch(reason === 'read' ? /^replica-[12]$/ : /^primary$/);
    }
    const reasons = rows.map((row) => row.split(/\s+/)[1]);
    for (const reason of ['read', 'not-a-read:', 'transaction', 'force-primary', 'locking-read:']) {
      expect(reasons).toContain(reason);
    }
    const last = lines.findLast((line) => line.includes('200 reads without it'));
    expect(last).toMatch(/primary 0, replica-1 0, replica-2 200$/);
    // On a pipe it is plain text.
    expect(stdout).not.toContain('\u001B');
  }, 120_000);
});
