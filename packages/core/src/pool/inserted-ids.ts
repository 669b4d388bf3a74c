/** So many ids are kept for one connection; after that, which others there were is not known any more. */
const most = 10_000;

/**
 * The insert ids that the server has told on one connection since it was new or reset. Those of
 * earlier sessions are what LAST_INSERT_ID() may say there to a later one.
 */
export class InsertedIds {
  /** Each with its place among all that were told. */
  readonly #ids = new Map<string, number>();
  #count = 0;
  /** Whether there may be more than were told. */
  #isComplete = true;

  /** How many were told so far: what divides the ids of one session from those before. */
  get count(): number {
    return this.#count;
  }

  /** Whether all that the server may know were told. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Whether the server may know an id at all. */
  get isEmpty(): boolean {
    return this.#count === 0 && this.#isComplete;
  }

  tell(id: string): void {
    this.#count += 1;
    if (this.#ids.size >= most) {
      this.#isComplete = false;
    } else if (!this.#ids.has(id)) {
      this.#ids.set(id, this.#count);
    }
  }

  /** To be called when the server may have generated one without telling it. */
  mayHaveMore(): void {
    this.#isComplete = false;
  }

  /** Whether an id is none of the first so many. */
  isNewSince(count: number, id: string): boolean {
    return (this.#ids.get(id) ?? count + 1) > count;
  }

  clear(): void {
    this.#ids.clear();
    this.#count = 0;
    this.#isComplete = true;
  }
}
