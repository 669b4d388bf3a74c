import type { Cluster } from '../support/servers/cluster.ts';
import { type Promised, promises } from './check.ts';

/**
 * The parts of a run, each with registers of its own: scopes, scopes that hand tokens to another
 * process, statements outside scopes, and all of it with nothing promised.
 */
export const parts = ['session', 'token', 'process', 'eventual'] as const;

/** One of {@link parts}. */
export type Part = (typeof parts)[number];

/** What each part promises. Outside scopes, reads may go back in time. */
export const promisedBy: Readonly<Record<Part, readonly Promised[]>> = {
  session: promises,
  token: promises,
  process: ['read-your-writes'],
  eventual: [],
};

export type Table = `register_${Part}`;

/** Registers that all clients count up; they exist from the start. Those of one client come after. */
export const sharedRegisters: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8];

/** The registers that one client alone writes; none exists at first. */
export function ownRegisters(client: number): readonly number[] {
  return Array.from({ length: 4 }, (_, index) => 1000 + client * 10 + index);
}

export function tableOf(part: Part): Table {
  return `register_${part}`;
}

/**
 * Whatever arrives late, such as a write whose connection was lost, changes nothing any more: the
 * version of a register only grows.
 */
export function upsert(table: Table): string {
  return `INSERT INTO ${table} (id, version) VALUES (?, ?) ON DUPLICATE KEY UPDATE version = GREATEST(version, VALUES(version))`;
}

/** Creates the tables and routines of all parts, on all servers when this resolves. */
export async function createRegisters(cluster: Cluster): Promise<void> {
  const { primary, database } = cluster;
  // The admin's connection has no database, and a routine needs one to be in.
  await primary.query(`USE ${database}`);
  for (const part of parts) for (const statement of schemaOf(part)) await primary.query(statement);
  await cluster.waitUntilReplicated();
}

function schemaOf(part: Part): string[] {
  const table = tableOf(part);
  const set = upsert(table).replace('(?, ?)', '(i, v)');
  const seeds = sharedRegisters.map((id) => `(${id}, 1)`).join(', ');
  return [
    `CREATE TABLE ${table} (id INT PRIMARY KEY, version BIGINT NOT NULL) ENGINE = InnoDB`,
    `INSERT INTO ${table} VALUES ${seeds}`,
    `CREATE PROCEDURE put_${part}(i INT, v BIGINT) ${set}`,
    `CREATE PROCEDURE put_and_show_${part}(i INT, v BIGINT) BEGIN ${set}; SELECT id, version FROM ${table} WHERE id = i; END`,
    `CREATE FUNCTION putting_${part}(i INT, v BIGINT) RETURNS BIGINT MODIFIES SQL DATA BEGIN ${set}; RETURN v; END`,
  ];
}

/** What the primary holds in the end. */
export async function finalVersions(cluster: Cluster, part: Part): Promise<Map<number, number>> {
  const rows = await cluster.primary.query<{ id: number; version: number }>(
    `SELECT id, version FROM ${cluster.database}.${tableOf(part)}`,
  );
  return new Map(rows.map(({ id, version }) => [id, version]));
}
