import { escaping } from '../pool/mysql2.ts';
import type { Facts } from '../statement/facts.ts';
import { codeIn, hasText, namesIn } from './bound-values.ts';
import type { Statement } from './statement.ts';

/** Tells what a text says. */
interface TextClassifier {
  classify(sql: string): Facts;
}

/**
 * What the text says, and what bound values add to it.
 *
 * @param isNarrow whether a host's charset may change the text on its way.
 */
export function factsOf(
  statement: Statement,
  classifier: TextClassifier,
  isNarrow: boolean,
): Facts {
  const facts = factsAsWritten(statement, classifier);
  if (!isNarrow || facts.reason !== null || !isWide(statement)) {
    return facts;
  }
  return { ...facts, reason: 'malformed', pin: 'unknown-state' };
}

/** A character above U+00FF may reach the server as another one: as a quote, or as white space. */
function isWide({ sql, method, values }: Statement): boolean {
  return wide.test(sql) || (method === 'query' && hasText(values, wide));
}

const wide = /[^\0-\xff]/;

function factsAsWritten(statement: Statement, classifier: TextClassifier): Facts {
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
  if (facts.reason !== null) {
    return pin === facts.pin ? facts : { ...facts, pin };
  }
  if (code.length > 0) {
    return { ...facts, pin, reason: 'bound-code' };
  }
  return sql.includes('??') ? withNames(facts, values, classifier) : facts;
}

/** A bound name may be that of a table which a rule keeps on the primary. */
function withNames(facts: Facts, values: unknown, classifier: TextClassifier): Facts {
  for (const name of namesIn(values)) {
    const { reason, word } = classifier.classify(`SELECT 1 FROM ${escaping.escapeId(name)}`);
    if (reason !== null) {
      return { ...facts, reason, word };
    }
  }
  return facts;
}
