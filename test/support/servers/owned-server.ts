import { join } from 'node:path';
import type { ServerProgram } from './find.ts';
import { Server, type ServerInfo } from './server.ts';
import { ServerProcess } from './server-process.ts';
import { clusterSettings, commonSettings, dataFolder } from './settings.ts';
import { copyTemplate } from './template.ts';

export interface OwnedServerOptions {
  readonly program: ServerProgram;
  readonly name: string;
  readonly port: number;
  readonly serverId: number;
  /** Where the server keeps its files; made by the caller. */
  readonly folder: string;
  readonly pids: string;
  readonly isLogging: boolean;
  /** Further server arguments; the last of two wins. */
  readonly settings: readonly string[];
}

/** A server that this process started: it can also be stopped, hung, killed and started again. */
export class OwnedServer extends Server {
  readonly info: ServerInfo;
  readonly #options: OwnedServerOptions;
  readonly #process: ServerProcess;

  constructor(options: OwnedServerOptions) {
    const { program, name, port, serverId, folder, pids, isLogging } = options;
    const logFile = join(dataFolder(folder), 'mysql', 'general_log.CSV');
    const info = { name, host: '127.0.0.1', port, serverId, logFile };
    super(info, program.flavor);
    this.info = info;
    this.#options = options;
    const role = { serverId, isReplica: name !== 'primary', isLogging };
    const args = [
      ...commonSettings(program.flavor, { folder, port }),
      ...clusterSettings(program.flavor, role),
      ...options.settings,
    ];
    this.#process = new ServerProcess({ program, args, folder, pids });
  }

  /** @throws Error while the server is not running */
  get pid(): number {
    return this.#process.pid;
  }

  /** Whether the process exists; a hung one does. */
  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  override get isAnswering(): boolean {
    return this.#process.isRunning && !this.#process.isHung;
  }

  /** @internal First start, on a new data directory. */
  async create(): Promise<void> {
    await copyTemplate(this.#options.program, this.#options.folder);
    await this.#process.start(this.admin);
  }

  /** Freezes the process (SIGSTOP): connections stay open, nothing answers, {@link query} waits. */
  hang(): Promise<void> {
    return this.#process.hang();
  }

  /** Ends {@link hang}. */
  resume(): void {
    this.#process.resume();
  }

  /** Kills the process (SIGKILL); resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#process.kill();
    this.disconnect();
  }

  /** Shuts the server down in order (SIGTERM); resolves when it is gone. */
  async shutdown(): Promise<void> {
    await this.#process.shutdown();
    this.disconnect();
  }

  /** Starts the server on the same port and data, after a shutdown if it still runs. */
  async restart(): Promise<void> {
    await this.shutdown();
    await this.#process.start(this.admin);
  }

  /** Stops applying what the primary sends; it is still received. */
  stopApplying(): Promise<void> {
    return this.replication.stopApplying();
  }

  /** Ends {@link stopApplying}. */
  startApplying(): Promise<void> {
    return this.replication.startApplying();
  }

  /** From now on applies each transaction this many seconds late; 0 ends it. */
  delay(seconds: number): Promise<void> {
    return this.replication.delay(seconds);
  }
}
