/** A row of an answer, by its column names as the server writes them. */
export type Row = Readonly<Record<string, unknown>>;

/** Where a server is reached: `host:port`, in lower case. */
export type Address = string;

/** What the hosts have said together. */
export interface Findings {
  /**
   * The hosts that say that they take writes: one is the primary. None: it is being elected, or nobody
   * who knows can be reached. Several: nobody knows where writes belong, and none is to be trusted.
   */
  readonly writable: readonly Address[];
  /** The hosts that reads may run on, besides; those that are there but not ready are left out. */
  readonly readable: readonly Address[];
  /** All hosts that there are, if that can be known: others are gone for good. `null`: those of the configuration. */
  readonly members: readonly Address[] | null;
  /** Lag in milliseconds, where the topology itself tells it. */
  readonly lags: ReadonlyMap<Address, number>;
}

/**
 * How roles are found out: one question to each host, and what to make of the answers. Pure: who asks,
 * when, and over what is not its concern.
 */
export interface Topology<Said> {
  /** The question. */
  readonly sql: string;
  /** What an answer says; `null` if it is none: the account may not see it, or the server does not have it. */
  read(rows: readonly Row[]): Said | null;
  /**
   * What all answers of one round say together.
   *
   * @param said by address; `null` for a host that gave no answer.
   * @param primary the primary until now; `null` if there is none.
   */
  resolve(said: ReadonlyMap<Address, Said | null>, primary: Address | null): Findings;
}
