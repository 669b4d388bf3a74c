import type { Random } from '../proofs/random.ts';
import type { Flavor } from '../support/servers/flavor.ts';
import { type Table, upsert } from './registers.ts';

/** A statement that sets a register. */
export interface Write {
  /** For the reader of a violation. */
  readonly name: string;
  readonly sql: string;
  readonly values: readonly number[];
}

export interface WriteOptions {
  readonly flavor: Flavor;
  readonly random: Random;
  readonly table: Table;
  readonly register: number;
  readonly version: number;
  /** Whether the register has a row. */
  readonly isThere: boolean;
  readonly mayCall: boolean;
}

/** Takes the id and the version. */
type TextOf = (table: Table) => string;

const plain: Readonly<Record<string, TextOf>> = { upsert };

/** What of its answer brings no GTID: the result set, or mysql2, hides the OK packet. */
const returning: Readonly<Record<string, TextOf>> = {
  returning: (table) => `${upsert(table)} RETURNING id, version`,
};

const routines: Readonly<Record<string, TextOf>> = {
  call: (table) => `CALL ${table.replace('register', 'put')}(?, ?)`,
  'call and show': (table) => `CALL ${table.replace('register', 'put_and_show')}(?, ?)`,
  function: (table) => `SELECT ${table.replace('register', 'putting')}(?, ?)`,
};

/** One of the ways to set a register. */
export function someWrite(options: WriteOptions): Write {
  const { flavor, random, table, register, version, isThere, mayCall } = options;
  if (isThere && random.chance(0.4)) {
    const sql = `UPDATE ${table} SET version = ? WHERE id = ? AND version < ?`;
    return { name: 'update', sql, values: [version, register, version] };
  }
  const ways = {
    ...plain,
    ...(flavor === 'mariadb' ? returning : {}),
    ...(mayCall ? routines : {}),
  };
  const [name, textOf] = random.pick(Object.entries(ways));
  return { name, sql: textOf(table), values: [register, version] };
}
