import { Scanner } from './scanner.ts';

/** Where a server is in one replication domain. */
export interface DomainPosition {
  /** The server that committed the transaction: part of its name, but not of its place in the order. */
  readonly server: bigint;
  readonly sequence: bigint;
}

/**
 * A position of MariaDB: in each replication domain a sequence number, and all before it.
 * MariaDB knowledge base, "Global Transaction ID".
 */
export interface MariadbGtidSet {
  readonly dialect: 'mariadb';
  /** By domain id. */
  readonly domains: ReadonlyMap<number, DomainPosition>;
}

export const emptyMariadbSet: MariadbGtidSet = { dialect: 'mariadb', domains: new Map() };

const greatestId = 2n ** 32n - 1n;
const greatestSequence = 2n ** 64n - 1n;

/** MariaDB reads each number with `strtoll`: white space and a plus sign may precede it (measured). */
const beforeNumber = /[ \t\n\v\f\r]*\+?/y;
const dash = /-/y;
const comma = /,/y;

/**
 * Reads what MariaDB 10.11 takes for a list of GTIDs (measured). Of two in one domain, which
 * `gtid_binlog_state` has, the higher counts; number 0, which no transaction has, adds nothing.
 */
export function parseMariadbSet(text: string): MariadbGtidSet | null {
  const scanner = new Scanner(text);
  const domains = new Map<number, DomainPosition>();
  if (scanner.isAtEnd) return emptyMariadbSet;
  do {
    if (!readGtid(scanner, domains)) return null;
  } while (scanner.take(comma) !== null);
  return scanner.isAtEnd ? { dialect: 'mariadb', domains } : null;
}

function readGtid(scanner: Scanner, domains: Map<number, DomainPosition>): boolean {
  const domain = readNumber(scanner, greatestId);
  if (domain === null || scanner.take(dash) === null) return false;
  const server = readNumber(scanner, greatestId);
  if (server === null || scanner.take(dash) === null) return false;
  const sequence = readNumber(scanner, greatestSequence);
  if (sequence === null) return false;
  raise(domains, Number(domain), { server, sequence });
  return true;
}

function readNumber(scanner: Scanner, greatest: bigint): bigint | null {
  scanner.take(beforeNumber);
  return scanner.takeNumber(greatest);
}

function raise(
  domains: Map<number, DomainPosition>,
  domain: number,
  position: DomainPosition,
): void {
  const known = domains.get(domain)?.sequence ?? 0n;
  if (position.sequence > known) domains.set(domain, position);
}

export function formatMariadbSet({ domains }: MariadbGtidSet): string {
  return [...domains]
    .sort(([one], [other]) => one - other)
    .map(([domain, { server, sequence }]) => `${domain}-${server}-${sequence}`)
    .join(',');
}

export function containsMariadbSet(set: MariadbGtidSet, subset: MariadbGtidSet): boolean {
  for (const [domain, { sequence }] of subset.domains) {
    const position = set.domains.get(domain);
    if (position === undefined || position.sequence < sequence) return false;
  }
  return true;
}

export function unionOfMariadbSets(one: MariadbGtidSet, other: MariadbGtidSet): MariadbGtidSet {
  const domains = new Map(one.domains);
  for (const [domain, position] of other.domains) raise(domains, domain, position);
  return { dialect: 'mariadb', domains };
}
