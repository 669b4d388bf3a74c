/** A part of a text between two parentheses, or all around them. */
export interface Level {
  /** A SELECT has begun here, so that FROM is its clause and not that of TRIM or EXTRACT. */
  isQuery: boolean;
  /** Between FROM and the next clause: behind a comma stands a table. */
  isList: boolean;
  /** Between WITH and the statement: behind a comma stands the name of a table expression. */
  isWith: boolean;
  /** Names of WITH that end with this level. */
  readonly hidden: string[];
  /** Name in WITH that this level is the body of. */
  readonly bodyOf: string | null;
}

/** The nested parentheses at one place of a text, and the names of WITH that hide tables there. */
export class Levels {
  #outer: Level[] = [];
  #current: Level = newLevel(null);
  /** How many enclosing WITH have a name. */
  readonly #hidden = new Map<string, number>();

  get current(): Level {
    return this.#current;
  }

  /** Whether the place is in no parentheses. */
  get isTop(): boolean {
    return this.#outer.length === 0;
  }

  open(bodyOf: string | null): void {
    this.#outer.push(this.#current);
    this.#current = newLevel(bodyOf);
  }

  /** From the end of its body on, the name of a table expression hides a table. */
  close(): void {
    const { hidden, bodyOf } = this.#current;
    for (const name of hidden) this.#hidden.set(name, (this.#hidden.get(name) ?? 1) - 1);
    this.#current = this.#outer.pop() ?? newLevel(null);
    if (bodyOf !== null) this.hide(bodyOf);
  }

  /** Hides the table of this name up to the end of the level. */
  hide(name: string): void {
    this.#current.hidden.push(name);
    this.#hidden.set(name, (this.#hidden.get(name) ?? 0) + 1);
  }

  isHidden(name: string): boolean {
    return (this.#hidden.get(name) ?? 0) > 0;
  }

  /** At the end of a statement. */
  clear(): void {
    this.#outer = [];
    this.#current = newLevel(null);
    this.#hidden.clear();
  }
}

function newLevel(bodyOf: string | null): Level {
  return { isQuery: false, isList: false, isWith: false, hidden: [], bodyOf };
}
