import type { Role, RouteReason } from '../routing/reasons.ts';
import { alignedRows, oneLine } from './table.ts';

/** Kinds of statement that are counted each by itself; of later ones only the number is kept. */
const mostKinds = 50_000;
/** Longest example that is kept, in characters. */
const longestExample = 400;
/** Width of the columns of the table by fingerprint, but for the example. */
const beforeExample = 70;

interface Count {
  readonly role: Role;
  readonly reason: string;
  count: number;
}

interface KindCount extends Count {
  readonly fingerprint: string;
  readonly example: string;
}

/** Counts statements by reason and by fingerprint. */
export class Summary {
  readonly #reasons = new Map<string, Count>();
  readonly #kinds = new Map<string, KindCount>();
  #total = 0;
  #onReplica = 0;
  #uncounted = 0;

  /** Statements so far. */
  get total(): number {
    return this.#total;
  }

  /** @param shown the reason with its word. */
  add(role: Role, reason: RouteReason, shown: string, fingerprint: string, sql: string): void {
    this.#total++;
    if (role === 'replica') {
      this.#onReplica++;
    }
    count(this.#reasons, `${role} ${reason}`, () => ({ role, reason, count: 0 }));
    const key = `${fingerprint} ${role} ${shown}`;
    if (this.#kinds.size < mostKinds || this.#kinds.has(key)) {
      count(this.#kinds, key, () => {
        const example = oneLine(sql, longestExample);
        return { role, reason: shown, count: 0, fingerprint, example };
      });
    } else {
      this.#uncounted++;
    }
  }

  /** @param top how many fingerprints are listed; 0: all. */
  text(top: number, columns: number): string {
    if (this.#total === 0) {
      return 'No statements.\n';
    }
    return `${this.#totals()}\n\nBy reason\n${this.#byReason()}\nBy fingerprint\n${this.#byKind(top, columns)}`;
  }

  #totals(): string {
    const total = `${this.#total} ${this.#total === 1 ? 'statement' : 'statements'}`;
    const share = `${this.#onReplica} on a replica (${percent(this.#onReplica, this.#total)})`;
    return `${total}: ${share}, ${this.#total - this.#onReplica} on the primary`;
  }

  #byReason(): string {
    const rows = sorted(this.#reasons).map(
      (each) =>
        [each.count, percent(each.count, this.#total).padStart(7), each.role, each.reason] as const,
    );
    return alignedRows([['count', '  share', 'role', 'reason'], ...rows]);
  }

  #byKind(top: number, columns: number): string {
    const kinds = sorted(this.#kinds);
    const listed = top === 0 ? kinds : kinds.slice(0, top);
    const width = Math.max(40, columns - beforeExample);
    const rows = listed.map((kind) => [
      kind.count,
      kind.role,
      kind.reason,
      kind.fingerprint,
      oneLine(kind.example, width),
    ]);
    const table = alignedRows([['count', 'role', 'reason', 'fingerprint', 'example'], ...rows]);
    const notListed = kinds.length - listed.length;
    const more = notListed === 0 ? '' : `  … and ${notListed} more; --top 0 lists all\n`;
    const uncounted =
      this.#uncounted === 0 ? '' : `  … and ${this.#uncounted} statements of other kinds\n`;
    return table + more + uncounted;
  }
}

function count<T extends Count>(counts: Map<string, T>, key: string, make: () => T): void {
  const known = counts.get(key) ?? make();
  known.count++;
  counts.set(key, known);
}

function sorted<T extends Count>(counts: ReadonlyMap<string, T>): T[] {
  return [...counts.values()].sort((one, other) => other.count - one.count);
}

function percent(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(1)} %`;
}
