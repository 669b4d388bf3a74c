import { answersOf, placesOf } from './answers.ts';
import { isOn, numberOf, textOf } from './columns.ts';
import type { Address, Findings, Row, Topology } from './topology.ts';

/** What a server says of itself. */
export interface Willingness {
  /** Which server this is, by whatever name it was asked. */
  readonly server: string;
  /** Whether it takes writes. */
  readonly isWritable: boolean;
  /** Whether it is closed for ordinary accounts (`offline_mode`). */
  readonly isOffline: boolean;
}

// One text for all: MariaDB passes over comments numbered 50700 to 99999 (its manual, "Comment Syntax"),
// and has none of the variables in there. `SHOW VARIABLES` needs twice the time (measured).
const sql = `SELECT @@global.read_only AS read_only, @@global.innodb_read_only AS innodb_read_only,
  @@server_id AS server_id, @@hostname AS hostname, @@port AS port
  /*!50708 , @@server_uuid AS server_uuid, @@global.super_read_only AS super_read_only,
  @@global.offline_mode AS offline_mode */`;

/**
 * Whoever is writable is the primary, whoever made it so: follows any failover manager, on MySQL from
 * 5.7.8 and on MariaDB. Every server that is not to take writes must therefore be `read_only`: a second
 * writable one is returned too.
 *
 * A server that answers under several names (its own, and that of "the primary" in the DNS) is one
 * server, and the primary once. Hosts are neither found nor lost.
 */
export const readOnly: Topology<Willingness> = { sql, read, resolve };

function read([row]: readonly Row[]): Willingness | null {
  if (row === undefined || numberOf(row, 'server_id') === null) {
    return null;
  }
  // The identifier alone says nothing on MariaDB, which has no UUID: 1 is its default.
  const identity = ['server_uuid', 'server_id', 'hostname', 'port'];
  const restrictions = ['read_only', 'super_read_only', 'innodb_read_only'];
  return {
    server: identity.map((column) => textOf(row, column)).join(' '),
    isWritable: !restrictions.some((column) => isOn(row, column)),
    isOffline: isOn(row, 'offline_mode'),
  };
}

function resolve(
  round: ReadonlyMap<Address, Willingness | null>,
  primary: Address | null,
): Findings {
  const open = answersOf(round).filter(({ said }) => !said.isOffline);
  const taking = placesOf(open.filter(({ said }) => said.isWritable));
  return {
    writable: [...taking.values()].map((names) => onlyName(names, primary)),
    readable: open.filter(({ said }) => !said.isWritable).map(({ address }) => address),
    members: null,
    lags: new Map(),
  };
}

/** The primary keeps the name it has, so that a second name for it does not look like a move. */
function onlyName(names: readonly Address[], primary: Address | null): Address {
  const [first = ''] = names;
  return primary !== null && names.includes(primary) ? primary : first;
}
