import type { RoutingOptions } from '../config/options.ts';
import { type CatalogueEvent, catalogueChannel } from '../diagnostics.ts';
import {
  type ClassificationStats,
  noClassification,
  withClassifier,
} from '../explain/classification-stats.ts';
import { Inspector } from '../explain/inspector.ts';
import type { Hosts } from '../pool/hosts.ts';
import { answers, SideConnection } from '../pool/side-connection.ts';
import {
  type Classifier,
  type ClassifierOptions,
  createClassifier,
} from '../statement/classifier.ts';
import type { Dialect, Facts } from '../statement/facts.ts';
import { readsSession } from '../statement/reads.ts';
import { bareNames } from './bare-names.ts';
import { changesCatalogue } from './changes.ts';
import { findNames, mentionsNull } from './find-names.ts';
import {
  declaredPure,
  type Knowledge,
  learned,
  nothingKnown,
  shadowingFunctions,
  unsafeTables,
} from './knowledge.ts';
import { readRows } from './read-rows.ts';
import { type Reading, Refresh } from './refresh.ts';
import { Refusals } from './refusals.ts';
import { type CatalogueRows, isWhole } from './rows.ts';
import { LearnedVersions } from './server-versions.ts';
import type { CatalogueState, CatalogueStats } from './stats.ts';

/** How long all of a reading may take, in milliseconds. */
const longestReading = 30_000;

interface Summary extends Pick<CatalogueStats, 'unread' | 'views' | 'functions'> {
  readonly ownDatabase: string | null;
}

type CatalogueOptions = RoutingOptions & Required<Pick<RoutingOptions, 'catalogueRefresh'>>;

/**
 * What a pool knows of its servers' SQL: dialect and versions, what views and functions hide, and
 * statements that turned out to write.
 */
export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #hosts: () => Hosts;
  readonly #versions: LearnedVersions;
  readonly #refusals = new Refusals();
  readonly #refresh: Refresh | null;
  #knowledge: Knowledge = nothingKnown;
  /** Of the last reading: its definitions are not kept. */
  #summary: Summary | null = null;
  #autoIsNull = false;
  #lastRefresh: number | null = null;
  #classifier: Classifier;
  /** Counts of the classifiers before it. */
  #past: ClassificationStats = noClassification;
  #inspector: Inspector | null = null;
  /** What the classifier was made of. */
  #basis: string;

  /** @param hosts the pool's hosts; asked for when the catalogue is read. */
  constructor(options: CatalogueOptions, hosts: () => Hosts) {
    this.#options = options;
    this.#hosts = hosts;
    this.#versions = new LearnedVersions(options.dialect ?? null);
    const interval = Number(options.catalogueRefresh);
    // The first plain read that could leave the primary starts it.
    this.#refresh = interval > 0 ? new Refresh(interval, () => this.#read()) : null;
    const classifierOptions = this.#classifierOptions();
    this.#classifier = createClassifier(classifierOptions);
    this.#basis = JSON.stringify(classifierOptions);
  }

  get dialect(): Dialect {
    return this.#classifier.dialect;
  }

  /** What a text says, by what is known of the servers now. */
  classify(sql: string): Facts {
    const facts = this.#classifier.classify(sql);
    const mayLeavePrimary = facts.reason === null || readsSession(facts.reason);
    return this.#autoIsNull && mayLeavePrimary && mentionsNull(sql)
      ? { ...facts, reason: 'catalogue', word: 'null' }
      : facts;
  }

  /** How statements were classified so far. */
  get classification(): ClassificationStats {
    return withClassifier(this.#past, this.#classifier.stats());
  }

  /** Tells of a text what no decision needs: made when an event or an explanation asks for it. */
  get inspector(): Inspector {
    this.#inspector ??= new Inspector(this.#classifierOptions());
    return this.#inspector;
  }

  /** Takes a server's `VERSION()`. */
  learnVersion(version: string): void {
    this.#versions.learn(version);
    this.#rebuild();
  }

  /** Whether a replica refused a statement as a write that differs from this one in literals at most. */
  wasRefused(sql: string): boolean {
    return this.#refusals.has(sql);
  }

  /** Remembers that a replica refused a statement as a write: the catalogue may be out of date. */
  rememberRefusal(sql: string): void {
    this.#refusals.add(sql);
    this.#refresh?.doubt();
  }

  /** Whether a plain read may be routed now; else it is told when. See {@link Refresh.admits}. */
  admits(onReady: () => void): boolean {
    return this.#refresh === null || this.#refresh.admits(onReady);
  }

  /** Whether plain reads have to run on the primary until a change is known. */
  get isBehind(): boolean {
    return this.#refresh?.isBehind === true;
  }

  /** The primary cannot be asked: plain reads go by what is known. */
  doWithout(): void {
    this.#refresh?.doWithout();
  }

  /**
   * To be called before a statement is sent; the text is asked for where it matters. If it may make a
   * name unsafe, what comes back is to be called when it is answered, or nobody waits for the answer
   * any more.
   */
  watch(facts: Facts, text: () => string): (() => void) | null {
    const refresh = this.#refresh;
    if (refresh === null || !changesCatalogue(facts, text)) {
      return null;
    }
    refresh.expectChange();
    return () => refresh.changed();
  }

  /** Reads no more. */
  close(): void {
    this.#refresh?.close();
  }

  stats(): CatalogueStats {
    const summary = this.#summary;
    const trusted = this.#options.trustDeclarations === true;
    return {
      state: this.#state,
      unread: summary?.unread ?? [],
      lastRefresh: this.#lastRefresh,
      error: this.#refresh?.error ?? null,
      views: summary?.views ?? 0,
      functions: summary?.functions ?? 0,
      trustedFunctions: trusted ? declaredPure(this.#knowledge).length : 0,
      shadowingFunctions: shadowingFunctions(this.#knowledge),
      unsafeTables: unsafeTables(this.#knowledge),
      refused: this.#refusals.count,
    };
  }

  get #state(): CatalogueState {
    // Without replicas there is nothing to keep off them.
    const isOff = this.#summary === null && this.#refresh?.isStarted !== true;
    if (this.#refresh === null || (isOff && this.#hosts().replicas.length === 0)) {
      return 'off';
    }
    if (this.#summary === null) {
      return this.#refresh.error === null ? 'pending' : 'failed';
    }
    return this.#summary.unread.length === 0 ? 'ready' : 'partial';
  }

  #read(): Reading {
    const startedAt = performance.now();
    const { primary } = this.#hosts();
    let connection: SideConnection | null = null;
    const run = async (isTimed: boolean, onConnected: () => void) => {
      try {
        connection = new SideConnection(primary);
        connection.limit(longestReading);
        await connection.open();
        onConnected();
        await connection.prepare(primary, this.#options.onCreateConnection ?? null);
        const current = connection;
        const given = this.#options.dialect ?? null;
        const rows = await readRows((sql) => current.query(sql), given);
        connection.close();
        await this.#take(rows, isTimed);
      } finally {
        connection?.close();
      }
    };
    const stop = () => connection?.close();
    const isAlive = () => answers(primary);
    return { run, stop, isAlive, onOver: () => this.#publish(performance.now() - startedAt) };
  }

  /** Puts what was read in place of what was known: all at once, when it is worked out. */
  async #take(rows: CatalogueRows, isTimed: boolean): Promise<void> {
    this.#versions.learn(rows.version);
    const ownDatabase = this.#ownDatabase(rows);
    const findings = await findNames(rows, {
      servers: this.#versions.servers,
      options: this.#options,
      ownDatabase,
      before: this.#knowledge,
    });
    this.#knowledge = learned(this.#knowledge, findings, { isTimed, isWhole: isWhole(rows) });
    this.#summary = {
      unread: rows.unread,
      views: rows.views.length,
      functions: rows.functions.length,
      ownDatabase,
    };
    this.#autoIsNull = rows.autoIsNull;
    this.#lastRefresh = Date.now();
    this.#rebuild();
  }

  /** The database that names without one belong to, if it is the same on all hosts. */
  #ownDatabase({ database }: CatalogueRows): string | null {
    const configured = this.#hosts().all.map(({ pool }) => pool.config.connectionConfig.database);
    return new Set(configured).size === 1 ? database : null;
  }

  /** A new classifier starts with an empty memory: only if something has changed. */
  #rebuild(): void {
    const options = this.#classifierOptions();
    const basis = JSON.stringify(options);
    if (basis !== this.#basis) {
      this.#past = this.classification;
      this.#classifier = createClassifier(options);
      this.#inspector = null;
      this.#basis = basis;
    }
  }

  #classifierOptions(): ClassifierOptions {
    const { pureFunctions = [], primaryTables = [] } = this.#options;
    const trusted = declaredPure(this.#knowledge);
    const own = this.#summary?.ownDatabase ?? null;
    return {
      ...this.#versions.servers,
      primaryTables,
      pureFunctions: [...pureFunctions, ...trusted, ...bareNames(trusted, own)],
      catalogue: {
        unsafeTables: unsafeTables(this.#knowledge)
          .map(({ name }) => name)
          .sort(),
        shadowingFunctions: shadowingFunctions(this.#knowledge).sort(),
      },
    };
  }

  #publish(duration: number): void {
    if (catalogueChannel.hasSubscribers) {
      const { state, unread, error, unsafeTables } = this.stats();
      const event: CatalogueEvent = {
        state,
        unread,
        error,
        unsafeTables: unsafeTables.length,
        duration,
      };
      catalogueChannel.publish(event);
    }
  }
}
