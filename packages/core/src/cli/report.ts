import type { Explainer } from '../explain/explain.ts';
import { type Explanation, explanationOf } from '../explain/explanation.ts';
import type { Facts } from '../statement/facts.ts';
import type { Output } from './output.ts';
import type { Step } from './session-walk.ts';
import { Summary } from './summary.ts';
import { alignedRows, reasonText, statementHeader, statementLine, widthOf } from './table.ts';
import type { ExplainRequest } from './usage.ts';

/** A statement and what would become of it. */
export interface Explained extends Step {
  readonly sql: string;
  readonly thread: string | null;
  readonly facts: Facts;
  readonly explainer: Explainer;
}

/** Where answers go. */
export interface Report {
  /** What is being read, in words. */
  begin(title: string): void;
  add(explained: Explained): void;
  /** @param isComplete whether all input was read. */
  end(isComplete: boolean): void;
}

export function reportFor(request: ExplainRequest, output: Output): Report {
  return request.isJson ? new JsonReport(output) : new TableReport(request, output);
}

function explanationFor({ sql, facts, route, role, explainer }: Explained): Explanation {
  return explanationOf(sql, facts, route, role, explainer.inspector);
}

/** One JSON object per statement. */
class JsonReport implements Report {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  begin(): void {
    // Nothing but statements: what reads this counts lines.
  }

  add(explained: Explained): void {
    const { sql, thread } = explained;
    const more = thread === null ? {} : { thread };
    this.#output.add(`${JSON.stringify({ sql, ...explanationFor(explained), ...more })}\n`);
  }

  end(): void {
    // The lines are all there is.
  }
}

const dialectNote = `
Without --dialect, a function is known if it is built into both MySQL and MariaDB.
`;

/** One line per statement, and a summary. */
class TableReport implements Report {
  readonly #request: ExplainRequest;
  readonly #output: Output;
  readonly #columns: number;
  readonly #summary = new Summary();
  #only: Explained | null = null;
  #hasHeader = false;
  /** A function was unknown that one of the dialects may know. */
  #needsDialect = false;

  constructor(request: ExplainRequest, output: Output) {
    this.#request = request;
    this.#output = output;
    this.#columns = widthOf(output.stream);
  }

  begin(title: string): void {
    this.#output.add(`${title}\n`);
    this.#hasHeader = false;
  }

  add(explained: Explained): void {
    const { sql, route, role, explainer } = explained;
    const reason = reasonText(route.reason, route.word);
    if (!this.#request.isSummary) {
      this.#header();
      this.#output.add(statementLine(role, reason, sql, this.#columns));
    }
    this.#only = explained;
    this.#needsDialect ||= explainer.dialect === 'unknown' && route.reason === 'unknown-function';
    this.#summary.add(role, route.reason, reason, explainer.inspector.fingerprint(sql), sql);
  }

  end(isComplete: boolean): void {
    if (!isComplete && this.#summary.total === 0) {
      return;
    }
    const { texts, isSummary, top } = this.#request;
    const isOne = texts.length === 1 && this.#summary.total === 1 && !isSummary;
    const rest =
      isOne && this.#only !== null
        ? details(explanationFor(this.#only))
        : this.#summary.text(top, this.#columns);
    this.#output.add(this.#hasHeader ? `\n${rest}` : rest);
    if (this.#needsDialect) {
      this.#output.add(dialectNote);
    }
  }

  #header(): void {
    if (!this.#hasHeader) {
      this.#output.add(statementHeader);
      this.#hasHeader = true;
    }
  }
}

/** All that is known of one statement. */
function details(explanation: Explanation): string {
  const { kind, tables, functions, fingerprint, hint, veto } = explanation;
  const names = tables.map(({ db, table }) => (db === null ? table : `${db}.${table}`));
  return alignedRows([
    ['kind', kind],
    ['tables', names.join(', ') || 'none'],
    ['functions', functions.join(', ') || 'none'],
    ['fingerprint', fingerprint],
    ['hint', hint ?? 'none'],
    ['veto', veto ?? 'none'],
  ]);
}
