import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

it('the docs show what bench/fleet prints', async () => {
  const pages = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));
  const blocks = pages.flatMap((name) => [
    ...readFileSync(`${root}docs/${name}`, 'utf8').matchAll(
      /^```console\n\$ npx tsx (bench\/fleet\/main\.ts)\n(.*?)^```$/gms,
    ),
  ]);
  expect(blocks).toHaveLength(1);
  const [, script = '', shown] = blocks[0] ?? [];
  const { stdout } = await run(process.execPath, ['--import', 'tsx', script], { cwd: root });
  expect(stdout).toBe(shown);
});
