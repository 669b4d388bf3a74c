import type { CatalogueNames } from './catalogue-names.ts';
import type { Dialect, Facts } from './facts.ts';
import { TextJudge } from './judge.ts';
import { DecisionTable } from './memo.ts';
import { ParserVeto, type VetoStats } from './veto.ts';
import { vocabularyOf } from './vocabularies.ts';

/** Options of {@link createClassifier}. */
export interface ClassifierOptions {
  /** Dialect of the servers; with `'unknown'` only what is safe in both is safe. */
  readonly dialect: Dialect;
  /**
   * Version of the oldest server, as major × 10000 + minor × 100 + patch: 80400, 101119. A
   * function that came later is no known built-in: a stored function may have its name. 0 if it is
   * unknown: then only what is built in on all versions is.
   *
   * @default that of the server that the tables of functions were generated from
   */
  readonly version?: number;
  /**
   * Version of the newest server. A function that is no longer built in there is no known built-in.
   *
   * @default `version`
   */
  readonly newestVersion?: number;
  /** What the servers' catalogue knows of names; none by default. */
  readonly catalogue?: CatalogueNames;
  /**
   * Functions that are as pure as the built-in ones: `'f'` for calls without a database,
   * `'db.f'` for calls with that one.
   */
  readonly pureFunctions?: readonly string[];
  /**
   * Tables whose statements always run on the primary: `'t'`, or `'db.t'` for the table of that
   * name in that database and where no database is named. A text that has an identifier of that
   * name anywhere, be it a column or an alias, counts. The migration tables of Knex and Kysely
   * are built in.
   */
  readonly primaryTables?: readonly string[];
}

/** Counters of one classifier. */
export interface ClassifierStats extends VetoStats {
  /** Calls of `classify`. */
  readonly classified: number;
  /** Calls answered from memory. */
  readonly known: number;
  /** Texts in memory. */
  readonly texts: number;
  /** Their length together, in characters. */
  readonly characters: number;
}

/** Tells what a statement's text says. */
export interface Classifier {
  readonly dialect: Dialect;
  /** Facts of any text; never throws. The text is what the server gets, placeholders apart. */
  classify(sql: string): Facts;
  stats(): ClassifierStats;
}

/** Makes a classifier. It keeps a bounded memory of texts and verdicts, and loads the parser when it needs it. */
export function createClassifier(options: ClassifierOptions): Classifier {
  return new LexingClassifier(options);
}

class LexingClassifier implements Classifier {
  readonly dialect: Dialect;
  readonly #judge: TextJudge;
  readonly #veto: ParserVeto;
  readonly #decisions = new DecisionTable();
  #classified = 0;
  #known = 0;

  constructor(options: ClassifierOptions) {
    this.dialect = options.dialect;
    this.#judge = new TextJudge(vocabularyOf(options));
    this.#veto = new ParserVeto(options.dialect);
  }

  classify(sql: string): Facts {
    this.#classified++;
    const known = this.#decisions.get(sql);
    if (known !== undefined) {
      this.#known++;
      return known;
    }
    const facts = this.#decide(sql);
    this.#decisions.note(sql, facts);
    return facts;
  }

  stats(): ClassifierStats {
    return {
      classified: this.#classified,
      known: this.#known,
      texts: this.#decisions.count,
      characters: this.#decisions.characters,
      ...this.#veto.stats(),
    };
  }

  #decide(sql: string): Facts {
    const facts = this.#judge.judge(sql);
    if (facts.reason !== null) return facts;
    const cause = this.#veto.judge(this.#judge.tokens);
    return cause === null ? facts : { ...facts, reason: 'parser-veto', word: cause };
  }
}
