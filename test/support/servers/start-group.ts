import { randomUUID } from 'node:crypto';
import { findServer, hasPlugin, type ServerProgram } from './find.ts';
import { Group } from './group.ts';
import { groupSettings } from './group-settings.ts';
import { OwnedServer } from './owned-server.ts';
import { freePorts } from './ports.ts';
import { clusterSettings } from './settings.ts';
import { Site } from './site.ts';

export interface GroupOptions {
  /** How many members. Default: 3. */
  readonly members?: number;
  /** Whether the servers write down every statement; see `startCluster`. Default: true. */
  readonly statementLog?: boolean;
  /** Further arguments for every server, such as `--group-replication-member-expel-timeout=5`. */
  readonly settings?: readonly string[];
}

const plugin = 'group_replication.so';

/** Why {@link startGroup} cannot work with the MySQL of this machine, or `undefined`. */
export async function whyNoGroup(): Promise<string | undefined> {
  const program = await findServer('mysql');
  if (await hasPlugin(program, plugin)) return undefined;
  return `MySQL ${program.version} was found without its plugin ${plugin}: no Group Replication`;
}

/**
 * Starts a group (MySQL Group Replication) in single-primary mode on free loopback ports, in a
 * temporary folder. The first member is the primary, all are ONLINE.
 *
 * Everything is gone after `stop()`, and also when this process dies without it.
 */
export async function startGroup(options: GroupOptions = {}): Promise<Group> {
  const program = await findServer('mysql');
  const count = options.members ?? 3;
  const ports = await freePorts(2 * count);
  const site = await Site.open();
  const name = randomUUID();
  const internalPorts = ports.slice(count);
  const members = await Promise.all(
    ports
      .slice(0, count)
      .map((port, index) =>
        newMember(options, { program, site, port, index, name, internalPorts }),
      ),
  );
  const [first, ...others] = members;
  if (first === undefined) throw new Error('a group has at least one member');
  const group = new Group(program, [first, ...others], site);
  try {
    await group.create();
    return group;
  } catch (error) {
    await group.stop();
    throw error;
  }
}

interface Position {
  readonly program: ServerProgram;
  readonly site: Site;
  readonly port: number;
  readonly index: number;
  readonly name: string;
  readonly internalPorts: readonly number[];
}

async function newMember(options: GroupOptions, position: Position): Promise<OwnedServer> {
  const { program, site, port, index, name: groupName, internalPorts } = position;
  const name = `member-${index + 1}`;
  const log = { isLogging: options.statementLog ?? true, isSemiSync: false };
  return new OwnedServer({
    program,
    name,
    port,
    serverId: index + 1,
    folder: await site.home(name),
    pids: site.pids,
    // Refuses writes until the group lets it.
    isReplica: true,
    settings: (role) => [
      ...clusterSettings('mysql', { ...role, ...log }),
      ...groupSettings({ groupName, port, index, internalPorts }),
      ...(options.settings ?? []),
    ],
  });
}
