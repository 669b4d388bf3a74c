import { answersOf, nothingFound, placesOf } from './answers.ts';
import { isOn, numberOf, textOf } from './columns.ts';
import type { Address, Findings, Row, Topology } from './topology.ts';

/** A row of `information_schema.REPLICA_HOST_STATUS`. */
interface Instance {
  /** Its identifier, the first part of its endpoint. */
  readonly id: string;
  readonly isWriter: boolean;
  /** In milliseconds; `null` if it is not known. */
  readonly lag: number | null;
  /** Milliseconds since the row was written; comparable within one cluster only. */
  readonly age: number;
}

/** The cluster as one instance sees it. */
export interface ClusterView {
  /** The identifier of the one that sees it so. */
  readonly server: string;
  readonly isReadOnly: boolean;
  /** Those whose rows are kept up. */
  readonly instances: readonly Instance[];
}

// The server works out the ages: its clock wrote the rows.
const sql = `SELECT SERVER_ID AS server_id, SESSION_ID = 'MASTER_SESSION_ID' AS is_writer,
  REPLICA_LAG_IN_MILLISECONDS AS replica_lag,
  TIMESTAMPDIFF(MICROSECOND, LAST_UPDATE_TIMESTAMP, NOW(6)) AS age,
  @@aurora_server_id AS own_id, @@global.innodb_read_only AS innodb_read_only
  FROM information_schema.REPLICA_HOST_STATUS`;

/** Rows of instances that are gone stay in the table. AWS's own drivers draw the line here too. */
const staleAfter = 300_000;

/**
 * Aurora MySQL, by its table of instances (Aurora User Guide, "Aurora MySQL–specific information_schema
 * tables"). The writer is who says itself that it is and that InnoDB takes writes; for the rest, its
 * view is believed, or the freshest if it has not answered: a reader's view may be old.
 *
 * Instances go by their own endpoints alone. Those of the cluster move from one to another, and later
 * than the roles do: asked there, it is the instance behind it that answers.
 *
 * An instance is used when it has answered itself, except the primary until now, if the view still
 * says that it is the writer. Two that claim to be the writer are both returned.
 *
 * @param options.pattern the address of an instance, with `?` for its identifier, as
 *   `deriveAuroraPattern` finds it.
 */
export function aurora({ pattern }: { readonly pattern: string }): Topology<ClusterView> {
  const addressOf = (id: string) => pattern.replace('?', id).toLowerCase();
  return { sql, read, resolve: (round, primary) => resolve(round, primary, addressOf) };
}

function read(rows: readonly Row[]): ClusterView | null {
  const [first] = rows;
  const server = first === undefined ? '' : textOf(first, 'own_id');
  if (first === undefined || server === '') {
    return null;
  }
  return {
    server,
    isReadOnly: isOn(first, 'innodb_read_only'),
    instances: current(rows.map(readInstance)),
  };
}

function readInstance(row: Row): Instance {
  const lag = numberOf(row, 'replica_lag');
  return {
    id: textOf(row, 'server_id'),
    isWriter: isOn(row, 'is_writer'),
    lag: lag === null || lag < 0 ? null : lag,
    age: (numberOf(row, 'age') ?? 0) / 1000,
  };
}

/**
 * Age counts from the freshest row, not from now: whether the table's times are in the time zone of the
 * session is not documented. The writer's row may be stale: it is the one to ask. Of two, the fresher.
 */
function current(instances: readonly Instance[]): Instance[] {
  const freshest = Math.min(...instances.map(({ age }) => age));
  const writer = Math.min(...instances.filter(({ isWriter }) => isWriter).map(({ age }) => age));
  return instances.filter(
    ({ age, isWriter }) => age - freshest <= staleAfter || (isWriter && age === writer),
  );
}

function resolve(
  round: ReadonlyMap<Address, ClusterView | null>,
  primary: Address | null,
  addressOf: (id: string) => Address,
): Findings {
  const answers = answersOf(round);
  const views = answers.map(({ said }) => said);
  const claiming = views.filter(isClaiming);
  const view = freshestOf(claiming.length > 0 ? claiming : views);
  if (view === null) {
    return nothingFound(round);
  }
  const heard = placesOf(answers);
  const writers =
    claiming.length > 0
      ? unique(claiming.map(({ server }) => server))
      : writersOf(view).filter((id) => !heard.has(id) && addressOf(id) === primary);
  const readers = views.filter(
    ({ server, isReadOnly }) => isReadOnly && view.instances.some(({ id }) => id === server),
  );
  const lagging = view.instances.filter(({ isWriter }) => !isWriter);
  const members = [...view.instances.map(({ id }) => id), ...writers];
  return {
    writable: writers.map(addressOf),
    readable: unique(readers.map(({ server }) => addressOf(server))),
    members: unique(members.map(addressOf)),
    lags: new Map(lagging.flatMap(({ id, lag }) => (lag === null ? [] : [[addressOf(id), lag]]))),
  };
}

/** The table alone would not do: right after a failover the old writer may still be the writer there. */
function isClaiming(view: ClusterView): boolean {
  return !view.isReadOnly && writersOf(view).includes(view.server);
}

function writersOf({ instances }: ClusterView): string[] {
  return instances.filter(({ isWriter }) => isWriter).map(({ id }) => id);
}

function freshestOf(views: readonly ClusterView[]): ClusterView | null {
  let best: ClusterView | null = null;
  for (const view of views) {
    if (best === null || ageOf(view) < ageOf(best)) {
      best = view;
    }
  }
  return best;
}

function ageOf({ instances }: ClusterView): number {
  return Math.min(...instances.map(({ age }) => age));
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)].sort();
}
