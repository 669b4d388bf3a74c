import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { styleText } from 'node:util';
import { channels, type StatementEvent } from '@rwsplit/core';
import type { OwnedCluster } from '../../test/support/servers/start-cluster.ts';

/** One host of the demo. */
export interface DemoHost {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** What both apps are configured with. */
export interface DemoHosts {
  readonly primary: DemoHost;
  readonly replicas: readonly DemoHost[];
}

/** Shows what an app does: each statement as the server logged it, beside the reason that rwsplit gives. */
export class Stage implements Disposable {
  readonly cluster: OwnedCluster;
  #events: StatementEvent[] = [];
  readonly #note = (event: unknown) => this.#events.push(event as StatementEvent);

  constructor(cluster: OwnedCluster) {
    this.cluster = cluster;
    subscribe(channels.statement, this.#note);
  }

  [Symbol.dispose](): void {
    unsubscribe(channels.statement, this.#note);
  }

  title(text: string): void {
    console.log(`\n${paint('bold', text)}`);
  }

  /** Runs one act of the app, then prints its statements in their order, by the servers' own logs. */
  async show(what: string, act: () => Promise<unknown>): Promise<void> {
    const logs = await this.#logs();
    this.#events = [];
    await act();
    const logged = await logs();
    console.log(`  ${what}`);
    for (const event of this.#events) {
      const name = this.#serverOf(event);
      const sql = logged.get(name)?.shift();
      const server = sql === undefined ? 'no server' : name;
      print(
        server,
        sql ?? event.sql,
        event.word === null ? event.reason : `${event.reason}: ${event.word}`,
      );
    }
  }

  /** Runs an act and prints how many statements each server has logged meanwhile. */
  async count(what: string, act: () => Promise<unknown>): Promise<void> {
    const logs = await this.#logs();
    await act();
    const counts = [...(await logs())].map(([server, sql]) => `${server} ${sql.length}`);
    console.log(`  ${what}: ${counts.join(', ')}`);
  }

  /** Hosts are called by their address unless they are given a name. */
  #serverOf({ host }: StatementEvent): string {
    const server = this.cluster.all.find(({ port }) => host?.endsWith(`:${port}`));
    return server?.name ?? host ?? '';
  }

  /** Notes where every server's log stands; the function tells what the app has added since. */
  async #logs(): Promise<() => Promise<Map<string, string[]>>> {
    const servers = this.cluster.all;
    const marks = await Promise.all(servers.map((server) => server.mark()));
    return async () => {
      const logged = await Promise.all(
        servers.map(async (server, index) => {
          const since = marks[index];
          const all = await server.statements(since === undefined ? {} : { since });
          const ran = all.filter(({ command, sql }) => isRun(command) && !setUp.test(sql));
          return [server.name, ran.map(({ sql }) => sql)] as const;
        }),
      );
      return new Map(logged);
    };
  }
}

/** What rwsplit and Knex themselves send on a new connection, and what rwsplit asks a replica on its own. */
const setUp = new RegExp(
  `^(${[
    'SELECT VERSION\\(\\)',
    'select version\\(\\) as version$',
    'SELECT CURRENT_ROLE\\(\\)$',
    'SHOW GLOBAL VARIABLES WHERE Variable_name IN',
    'SET SESSION (autocommit = 1|TRANSACTION READ ONLY|session_track_)',
    'SELECT (WAIT_FOR_EXECUTED_GTID_SET|MASTER_GTID_WAIT)\\(',
    'SELECT (NULL, )?@@GLOBAL\\.gtid_',
  ].join('|')})`,
);

function isRun(command: string): boolean {
  return command === 'Query' || command === 'Execute';
}

function print(server: string, sql: string, reason: string): void {
  const width = Math.max(60, (process.stdout.columns ?? 120) - 50);
  const text = sql.replace(/\s+/g, ' ');
  const short = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  const color = server === 'primary' ? 'yellow' : 'green';
  console.log(`    ${paint(color, server.padEnd(10))} ${paint('dim', reason.padEnd(24))} ${short}`);
}

/** Colours on a terminal, plain text on a pipe. */
function paint(style: 'bold' | 'dim' | 'yellow' | 'green', text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text;
}
