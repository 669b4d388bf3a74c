import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const unfinished = '.unfinished-';
const abandonedAfterMs = 3_600_000;

/**
 * A folder of the user's cache, built once and then shared by all processes.
 *
 * `build` fills a temporary folder beside it, which is renamed when complete: a folder under its
 * final name is always whole, and of two processes that race, one wins and the other uses that.
 *
 * @returns the path of the finished folder
 */
export function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const running = inThisProcess.get(name) ?? buildOnce(name, build);
  inThisProcess.set(name, running);
  // Neither a failure nor what the folder said a while ago is remembered.
  return running.finally(() => inThisProcess.delete(name));
}

const inThisProcess = new Map<string, Promise<string>>();

async function buildOnce(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const root = cacheRoot();
  const finished = join(root, name);
  if (await exists(finished)) return finished;
  await mkdir(root, { recursive: true });
  await removeAbandoned(root);
  const temporary = await mkdtemp(join(root, unfinished));
  // One level down: an archive unpacked into a folder can give it a date long past.
  const folder = join(temporary, 'content');
  try {
    await mkdir(folder);
    await build(folder);
    await rename(folder, finished).catch(async (error: unknown) => {
      if (!(await exists(finished))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return finished;
}

function cacheRoot(): string {
  const { XDG_CACHE_HOME } = process.env;
  // XDG base directory specification: an empty variable counts as unset.
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'rwsplit', 'servers');
}

/** Removes what processes that died during `build` left behind. */
async function removeAbandoned(root: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => name.startsWith(unfinished));
  for (const name of names) {
    const folder = join(root, name);
    const info = await stat(folder).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > abandonedAfterMs) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
