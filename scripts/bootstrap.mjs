// Installs the workspace's packages if they are missing or older than the lock file, so that
// `npm test` and `npm run demo` work in a fresh clone with nothing but Node. Plain JavaScript: it
// runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { devEngines } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const installed = `${root}node_modules/.modules.yaml`;

if (!existsSync(installed) || isOlder(installed, `${root}pnpm-lock.yaml`)) {
  const pnpm = `pnpm@${devEngines.packageManager.version}`;
  const { status, error } = spawnSync(
    'npx',
    ['--yes', pnpm, 'install', '--frozen-lockfile', '--prefer-offline'],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' },
  );
  if (status !== 0) {
    console.error(
      `Could not install the packages with ${pnpm}${error ? `: ${error.message}` : ''}`,
    );
    process.exit(status ?? 1);
  }
}

function isOlder(one, other) {
  return statSync(one).mtimeMs < statSync(other).mtimeMs;
}
