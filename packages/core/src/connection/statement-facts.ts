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
    return { ...facts, reason: 'malformed', pin: 'unknown-state' };
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

/** A question about the session follows the statement that it asks about, wherever that ran. */
function mayLeavePrimary({ reason, followUp }: Facts): boolean {
  return reason === null || readsSession(reason) || (reason === 'show' && followUp !== null);
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
    return { ...facts, reason: facts.reason ?? 'bound-code', pin: facts.pin ?? 'unknown-state' };
  }
}

function withValues(facts: Facts, { sql, values }: Statement, classifier: TextClassifier): Facts {
  const code = codeIn(values);
  const leaves = code.some((text) => classifier.classify(`SELECT ${text}`).reason !== null);
  const pin = facts.pin ?? (leaves ? 'unknown-state' : null);
  if (!mayLeavePrimary(facts)) {
    // A bound name may be that of a view which calls anything.
    const callsUnknown = facts.callsUnknown || (facts.kind === 'read' && sql.includes('??'));
    return { ...facts, pin, callsUnknown };
  }
  if (code.length > 0) {
    return { ...facts, pin, reason: 'bound-code' };
  }
  if (!areRecognised(values)) {
    return { ...facts, pin: 'unknown-state', reason: 'bound-code' };
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
  const { reason, word, callsUnknown } = written;
  return mayLeavePrimary(written) ? facts : { ...facts, reason, word, callsUnknown };
}
