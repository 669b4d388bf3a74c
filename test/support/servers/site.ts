import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OwnedServer } from './owned-server.ts';
import { Watchdog } from './watchdog.ts';

/**
 * A temporary folder for servers of this process. Both are gone after {@link close}, and also
 * when this process dies without it.
 */
export class Site {
  readonly folder: string;
  readonly #watchdog: Watchdog;

  private constructor(folder: string) {
    this.folder = folder;
    this.#watchdog = new Watchdog(folder);
  }

  static async open(): Promise<Site> {
    return new Site(await mkdtemp(join(tmpdir(), 'rwsplit-')));
  }

  /** Where running servers register. */
  get pids(): string {
    return this.#watchdog.pids;
  }

  /** Makes the folder that a server has to itself. */
  async home(name: string): Promise<string> {
    const folder = join(this.folder, name);
    await mkdir(folder);
    return folder;
  }

  /** First start of all servers; when one fails, only after the others have started. */
  async create(servers: readonly OwnedServer[]): Promise<void> {
    const starts = await Promise.allSettled(servers.map((server) => server.create()));
    // Only now: the one that failed first must not have the others' files removed as they start.
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
  }

  /** Kills the servers and removes their files. Calling it again does nothing. */
  async close(servers: readonly OwnedServer[]): Promise<void> {
    // Nothing in there is needed again: no reason to wait for an orderly shutdown.
    await Promise.all(servers.map((server) => server.kill()));
    await rm(this.folder, { recursive: true, force: true });
    this.#watchdog.dismiss();
  }
}
