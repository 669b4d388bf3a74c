import type { RoutingOptions } from '../config/options.ts';
import { type Classifier, createClassifier } from '../statement/classifier.ts';
import type { Dialect, Facts } from '../statement/facts.ts';

/** How many texts that a replica refused are remembered. */
const mostRefusals = 1_000;
/** The longest that is, in characters. A longer one is refused again. */
const longestRefusal = 4_096;

/** What a pool knows of its servers' SQL: their dialect, and texts that turned out to write. */
export class Catalogue {
  readonly #options: RoutingOptions;
  readonly #refused = new Set<string>();
  readonly #seen = new Set<Dialect>();
  #classifier: Classifier;

  constructor(options: RoutingOptions) {
    this.#options = options;
    this.#classifier = makeClassifier(options, options.dialect ?? 'unknown');
  }

  get dialect(): Dialect {
    return this.#classifier.dialect;
  }

  classify(sql: string): Facts {
    return this.#classifier.classify(sql);
  }

  /** Takes the dialect from a server's `VERSION()`: that of all servers, if they agree. */
  learnVersion(version: string): void {
    if (this.#options.dialect !== undefined) {
      return;
    }
    this.#seen.add(/mariadb/i.test(version) ? 'mariadb' : 'mysql');
    const [first, ...others] = this.#seen;
    const dialect = first === undefined || others.length > 0 ? 'unknown' : first;
    if (dialect !== this.dialect) {
      this.#classifier = makeClassifier(this.#options, dialect);
    }
  }

  wasRefused(sql: string): boolean {
    return this.#refused.size > 0 && this.#refused.has(sql);
  }

  rememberRefusal(sql: string): void {
    if (sql.length > longestRefusal) {
      return;
    }
    this.#refused.add(sql);
    if (this.#refused.size > mostRefusals) {
      const [oldest] = this.#refused;
      this.#refused.delete(oldest ?? '');
    }
  }
}

function makeClassifier(options: RoutingOptions, dialect: Dialect): Classifier {
  const { pureFunctions, primaryTables } = options;
  return createClassifier({
    dialect,
    ...(pureFunctions === undefined ? {} : { pureFunctions }),
    ...(primaryTables === undefined ? {} : { primaryTables }),
  });
}
