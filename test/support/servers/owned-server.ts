import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerProgram } from './find.ts';
import { Server, type ServerInfo } from './server.ts';
import { ServerProcess } from './server-process.ts';
import { commonSettings, dataFolder } from './settings.ts';
import { copyTemplate } from './template.ts';

/** What of a server can change from one start to the next. */
export interface Role {
  readonly serverId: number;
  readonly isReplica: boolean;
}

export interface OwnedServerOptions {
  readonly program: ServerProgram;
  readonly name: string;
  readonly port: number;
  readonly serverId: number;
  /** Where the server keeps its files; made by the caller. */
  readonly folder: string;
  readonly pids: string;
  /** What the server starts as the first time. */
  readonly isReplica: boolean;
  /** Server arguments for its role, asked for at every start; the last of two wins. */
  readonly settings: (role: Role) => readonly string[];
}

/** A server that this process started: it can also be stopped, hung, killed and started again. */
export class OwnedServer extends Server {
  readonly #options: OwnedServerOptions;
  readonly #process: ServerProcess;
  readonly #logFile: string;
  #serverId: number;
  #isReplica: boolean;

  constructor(options: OwnedServerOptions) {
    const { program, name, port, serverId, folder, pids } = options;
    const logFile = join(dataFolder(folder), 'mysql', 'general_log.CSV');
    super({ name, host: '127.0.0.1', port, serverId, logFile }, program.flavor);
    this.#options = options;
    this.#logFile = logFile;
    this.#serverId = serverId;
    this.#isReplica = options.isReplica;
    const args = () => [
      ...commonSettings(program.flavor, { folder, port }),
      ...options.settings({ serverId: this.#serverId, isReplica: this.#isReplica }),
    ];
    this.#process = new ServerProcess({ program, args, folder, pids });
  }

  get info(): ServerInfo {
    const { name, host, port, serverId } = this;
    return { name, host, port, serverId, logFile: this.#logFile };
  }

  override get serverId(): number {
    return this.#serverId;
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

  /** @internal Whether the next start is one as a replica. */
  startsAs(role: 'primary' | 'replica'): void {
    this.#isReplica = role === 'replica';
  }

  /** @internal Kills the server and starts it on a new data directory, without any history. */
  async recreate(): Promise<void> {
    await this.kill();
    await rm(dataFolder(this.#options.folder), { recursive: true });
    // Under its old id it would skip what it wrote in its first life when that comes back.
    this.#serverId += 1000;
    await this.create();
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
