import { join } from 'node:path';
import type { Flavor } from './flavor.ts';

export interface ServerPlace {
  /** Folder of one server: data, socket, logs. */
  readonly folder: string;
  readonly port: number;
}

/** Files of one server, by the folder it has to itself. */
export function dataFolder(folder: string): string {
  return join(folder, 'data');
}

/** Arguments for every server, also for the one that only prepares a data directory. */
export function commonSettings(flavor: Flavor, { folder, port }: ServerPlace): string[] {
  return [
    `--datadir=${dataFolder(folder)}`,
    `--socket=${join(folder, 'sock')}`,
    `--pid-file=${join(folder, 'pid')}`,
    // Two servers that initialise at once take each other's temporary tables away in a shared folder.
    `--tmpdir=${folder}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--secure-file-priv=',
    ...smallFootprint(flavor),
    // Both refuse to run as root unless told so.
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
}

/** What makes three servers start and run quickly on two cores. */
function smallFootprint(flavor: Flavor): string[] {
  const both = [
    '--innodb-buffer-pool-size=64M',
    // At commit the log goes to the operating system: it survives SIGKILL, not a power cut.
    '--innodb-flush-log-at-trx-commit=2',
    '--sync-binlog=0',
    // Against torn pages, which a killed process does not leave behind either.
    '--innodb-doublewrite=OFF',
    // Many servers at once can use up what the kernel has of it.
    '--innodb-use-native-aio=OFF',
    '--performance-schema=OFF',
    '--max-connections=300',
    '--max-allowed-packet=64M',
  ];
  return flavor === 'mysql'
    ? [...both, '--mysqlx=OFF', '--innodb-redo-log-capacity=16M']
    : [...both, '--innodb-log-file-size=16M', '--character-set-server=utf8mb4'];
}

export interface ReplicationRole {
  readonly serverId: number;
  readonly isReplica: boolean;
  /** Whether every statement is written down (`mysql.general_log`). */
  readonly isLogging: boolean;
  /** Whether a commit waits until a replica has it; see {@link semiSyncSettings}. */
  readonly isSemiSync: boolean;
}

/** Arguments that make a server part of a GTID cluster. */
export function clusterSettings(flavor: Flavor, role: ReplicationRole): string[] {
  return [
    `--server-id=${role.serverId}`,
    '--log-bin=binlog',
    '--relay-log=relay',
    '--relay-log-recovery=ON',
    // Lets the application user create functions, as it can on most managed servers.
    '--log-bin-trust-function-creators=ON',
    '--log-output=TABLE',
    `--general-log=${role.isLogging ? 'ON' : 'OFF'}`,
    ...(flavor === 'mysql' ? mysqlOnly(role) : mariadbOnly(role)),
    ...(role.isSemiSync ? semiSyncSettings(flavor, role) : []),
  ];
}

function mysqlOnly({ isReplica }: ReplicationRole): string[] {
  return [
    '--gtid-mode=ON',
    '--enforce-gtid-consistency=ON',
    // Without it, statements that do not parse are missing in the log (MySQL manual, log_raw).
    '--log-raw=ON',
    ...(isReplica ? ['--super-read-only=ON'] : []),
  ];
}

function mariadbOnly({ isReplica }: ReplicationRole): string[] {
  return [
    '--binlog-format=ROW',
    '--log-slave-updates=ON',
    '--gtid-strict-mode=ON',
    ...(isReplica ? ['--read-only=ON'] : []),
  ];
}

// Longer than any test: a commit that nobody has received is never acknowledged.
const semiSyncTimeoutMs = 3_600_000;

/**
 * Semi-synchronous replication: a commit is visible and answered once a replica has received it.
 * The primary's side is off on a replica, which would wait for replicas of its own.
 */
function semiSyncSettings(flavor: Flavor, { isReplica }: ReplicationRole): string[] {
  const enabled = isReplica ? 'OFF' : 'ON';
  return flavor === 'mysql'
    ? [
        '--plugin-load-add=semisync_source.so',
        '--plugin-load-add=semisync_replica.so',
        '--rpl-semi-sync-replica-enabled=ON',
        `--rpl-semi-sync-source-enabled=${enabled}`,
        `--rpl-semi-sync-source-timeout=${semiSyncTimeoutMs}`,
        '--rpl-semi-sync-source-wait-point=AFTER_SYNC',
      ]
    : [
        '--rpl-semi-sync-slave-enabled=ON',
        `--rpl-semi-sync-master-enabled=${enabled}`,
        `--rpl-semi-sync-master-timeout=${semiSyncTimeoutMs}`,
        '--rpl-semi-sync-master-wait-point=AFTER_SYNC',
      ];
}
