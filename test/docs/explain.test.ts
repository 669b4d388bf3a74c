import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../packages/core/src/cli/command.ts';

/** Every `console` block of docs/explain.md has the output of its command. */
describe('docs/explain.md', async () => {
  const page = await readFile(new URL('../../docs/explain.md', import.meta.url), 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'rwsplit-docs-'));
  afterAll(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'app.sql'), block('sql', '-- app.sql'));
  await writeFile(join(folder, 'app.log'), block('text', 'Connect'));

  function block(language: string, content: string): string {
    const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];
    return blocks.map(([, text = '']) => text).find((text) => text.includes(content)) ?? '';
  }

  const commands = [...page.matchAll(/^```console\n\$ (.*?)\n(.*?)^```$/gms)].map(
    ([, command = '', output = '']) => [command, output] as const,
  );

  it('has commands', () => {
    expect(commands).toHaveLength(4);
  });

  it.each(commands)('%s', async (command, output) => {
    const [before, after = ''] = command.split('npx rwsplit ');
    const piped = /^echo '(.*)' \| $/.exec(before ?? '')?.[1] ?? '';
    const args = [...after.matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    );
    const stdin = (async function* () {
      yield `${piped}\n`;
    })();
    let out = '';
    const stdout = {
      write(text: string) {
        out += text;
        return true;
      },
      on: () => {},
    };
    const inFolder = args.map((arg) => (/^app\./.test(arg) ? join(folder, arg) : arg));
    await runCommand(inFolder, { stdin, stdout, stderr: stdout });
    expect(out.replaceAll(`${folder}/`, '')).toBe(output);
  });
});
