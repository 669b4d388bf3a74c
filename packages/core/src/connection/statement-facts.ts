import { escaping, type SqlValue } from '../pool/mysql2.ts';
import type { Facts } from '../statement/facts.ts';
import { readsSession } from '../statement/reads.ts';
import { areRecognised, codeIn, hasText } from './bound-values.ts';
import type { Statement } from './statement.ts';

/** What the hosts of a pool make of a text. */
interface HostSettings {
  /** Characters that may reach a host as others, such as quotes, by its charset. */
  readonly garbled: readonly RegExp[];
  /** The system schema that names without a database belong to; `null` if it is an ordinary one. */
  readonly systemSchema: string | null;
}

/** Tells what a text says. */
interface TextClassifier {
  classify(sql: string): Facts;
}

/** What the text says, and what bound values and the hosts' settings add to it. */
export function factsOf(
  statement: Statement,
  classifier: TextClassifier,
  { garbled, systemSchema }: HostSettings,
): Facts {
  const facts = factsWithValues(statement, classifier);
  if (!mayLeavePrimary(facts)) {
    return facts;
  }
  if (systemSchema !== null) {
    return { ...facts, reason: 'system-schema', word: systemSchema };
  }
  if (garbled.some((characters) => hasAny(statement, characters))) {
    return { ...facts, ...leavesAnything, reason: 'malformed' };
  }
  return facts;
}

/** The text, with the code that bound values add to it, as far as they let themselves be looked at. */
export function textWithCode({ sql, method, values }: Statement): string {
  if (method !== 'query') {
    return sql;
  }
  try {
    return [sql, ...codeIn(values)].join(' ');
  } catch {
    return sql;
  }
}

/** What nobody has looked at may leave any state behind, and frees none for sure. */
const leavesAnything = { pin: 'unknown-state', object: null, frees: null } as const;

/** A question about the session follows the statement that it asks about, wherever that ran. */
function mayLeavePrimary({ reason, asks }: Facts): boolean {
  return reason === null || readsSession(reason) || (reason === 'show' && asks.length > 0);
}

function hasAny({ sql, method, values }: Statement, characters: RegExp): boolean {
  return characters.test(sql) || (method === 'query' && hasText(values, characters));
}

function factsWithValues(statement: Statement, classifier: TextClassifier): Facts {
  const facts = classifier.classify(statement.sql);
  // Only query() writes values into the text; execute() sends them beside it.
  if (statement.method !== 'query' || statement.values === undefined) {
    return facts;
  }
  try {
    return withValues(facts, statement, classifier);
  } catch {
    // A getter or a proxy that throws: mysql2 will meet it too.
    return { ...facts, ...leavesAnything, reason: facts.reason ?? 'bound-code' };
  }
}

function withValues(facts: Facts, { sql, values }: Statement, classifier: TextClassifier): Facts {
  const code = codeIn(values);
  const leaves = code.some((text) => classifier.classify(`SELECT ${text}`).reason !== null);
  const withCode = leaves ? { ...facts, ...leavesAnything } : facts;
  if (!mayLeavePrimary(facts)) {
    // A bound name may be that of a view which calls anything.
    const mayCall = facts.kind === 'read' && sql.includes('??');
    return mayCall
      ? { ...withCode, ...leavesAnything, callsUnknown: true, callsWriting: true }
      : withCode;
  }
  if (code.length > 0) {
    return { ...withCode, reason: 'bound-code' };
  }
  if (!areRecognised(values)) {
    return { ...facts, ...leavesAnything, reason: 'bound-code' };
  }
  return sql.includes('??') ? asWritten(facts, sql, values, classifier) : facts;
}

/**
 * Bound names decide what a text means, alone and with what stands beside them: it is classified as
 * the server gets it.
 */
function asWritten(facts: Facts, sql: string, values: unknown, classifier: TextClassifier): Facts {
  // Which of named values become names, is mysql2's secret.
  if (!Array.isArray(values) && typeof values === 'object') {
    return { ...facts, reason: 'bound-code' };
  }
  const written = classifier.classify(escaping.format(sql, values as SqlValue));
  return mayLeavePrimary(written)
    ? { ...facts, asks: written.asks }
    : { ...written, hint: facts.hint };
}
