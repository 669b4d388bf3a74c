import type { Role, Route, RouteReason } from '../routing/reasons.ts';
import type { Facts, StatementKind } from '../statement/facts.ts';
import { type TableName, type VetoCause, vetoCauses } from '../statement/syntax-tree.ts';
import type { Inspector } from './inspector.ts';

/** Where a statement runs, why, and what its text says. */
export interface Explanation {
  /** What runs it: the primary, or one of the replicas. */
  readonly role: Role;
  /** One of `routeReasons`; `docs/routing-rules.md` has a row for each. */
  readonly reason: RouteReason;
  /** The keyword, function or table behind the reason, or `null`. Never a literal. */
  readonly word: string | null;
  /** What the statement does. */
  readonly kind: StatementKind;
  /** The tables, views and sequences that it names; names of `WITH` and aliases are none. */
  readonly tables: readonly TableName[];
  /** The functions that it calls with parentheses, in lower case, with their database if it is named. */
  readonly functions: readonly string[];
  /**
   * 16 hexadecimal digits. The same for texts that differ in literals, placeholders, the length of
   * lists of them, white space, comments and letter case; the same in every process.
   */
  readonly fingerprint: string;
  /** `'primary'` if a comment of the text is `route:primary`. */
  readonly hint: 'primary' | null;
  /** What node-sql-parser saw where the lexer saw a plain read: the cause of its veto, or `null`. */
  readonly veto: VetoCause | null;
}

/** Puts together what is known of a statement. */
export function explanationOf(
  sql: string,
  facts: Facts,
  route: Route,
  role: Role,
  inspector: Inspector,
): Explanation {
  return {
    role,
    reason: route.reason,
    word: route.word,
    kind: facts.kind,
    tables: inspector.tables(sql),
    functions: inspector.functions(sql),
    fingerprint: inspector.fingerprint(sql),
    hint: facts.hint,
    veto: vetoOf(facts),
  };
}

function vetoOf({ reason, word }: Facts): VetoCause | null {
  if (reason !== 'parser-veto') return null;
  return vetoCauses.find((cause) => cause === word) ?? null;
}
