import { evaluatedSql, others, plainSql, withLines } from './test-language.ts';

/** One step of a test file, in the order of the file. */
export type Step =
  | { readonly kind: 'statement'; readonly sql: string }
  /** The steps of another file belong here. */
  | { readonly kind: 'source'; readonly path: string };

/** What a test file holds. */
export interface TestFile {
  readonly steps: readonly Step[];
  /** Statements and sources left out, since a variable of the test is in them. */
  readonly withVariable: number;
}

/**
 * Reads a file of the mysqltest language. Nothing is executed: blocks of `if` and `while` count
 * once, variables are not replaced.
 */
export function readTestFile(text: string): TestFile {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  readonly #steps: Step[] = [];
  #at = 0;
  #delimiter = ';';
  #withVariable = 0;
  #parsing = true;

  constructor(text: string) {
    this.#text = text;
  }

  read(): TestFile {
    for (;;) {
      this.#skipSpace();
      const text = this.#text;
      if (this.#at >= text.length) break;
      // Only at the start of a command does `#` or `-` make a comment of the line.
      if (text[this.#at] === '#') this.#takeLine();
      else if (text[this.#at] === '-') this.#readDashes();
      else if (text[this.#at] === '}' || text[this.#at] === '{') this.#at++;
      else this.#readDelimited();
    }
    return { steps: this.#steps, withVariable: this.#withVariable };
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && /\s/.test(this.#text[this.#at] as string)) this.#at++;
  }

  /** The rest of the line, without its end. */
  #takeLine(): string {
    const end = this.#text.indexOf('\n', this.#at);
    const line = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#text.length : end + 1;
    return line;
  }

  /** `--command arguments`, without a delimiter; what is no command is a comment. */
  #readDashes(): void {
    const line = this.#takeLine();
    if (!line.startsWith('--')) return;
    const { word, rest } = splitCommand(line.slice(2).trim());
    if (isCommand(word)) this.#run(word, rest);
  }

  #readDelimited(): void {
    const text = this.#takeDelimited();
    const { word, rest } = splitCommand(text);
    if (isCommand(word)) this.#run(word, rest);
    else this.#add(text);
  }

  /** Up to the delimiter outside of quotes, or up to the `{` that opens a block. */
  #takeDelimited(): string {
    const text = this.#text;
    const start = this.#at;
    const isBlock = /(?:if|while)\s*\(/iy;
    isBlock.lastIndex = start;
    const opensBlock = isBlock.test(text);
    let quote = '';
    for (; this.#at < text.length; this.#at++) {
      const character = text[this.#at] as string;
      if (quote !== '') {
        if (character === '\\') this.#at++;
        else if (character === quote) quote = '';
      } else if (character === "'" || character === '"' || character === '`') {
        quote = character;
      } else if (opensBlock ? character === '{' : text.startsWith(this.#delimiter, this.#at)) {
        break;
      }
    }
    const taken = text.slice(start, this.#at).trim();
    this.#at += opensBlock ? 1 : this.#delimiter.length;
    return taken;
  }

  #run(word: string, rest: string): void {
    if (word === 'disable_parsing') this.#parsing = false;
    else if (word === 'enable_parsing') this.#parsing = true;
    else if (word === 'delimiter') this.#delimiter = rest || this.#delimiter;
    else if (withLines.has(word)) this.#skipLines(rest.split(/\s+/)[word === 'perl' ? 0 : 1]);
    else if (word === 'source') this.#addSource(rest);
    else if (plainSql.has(word)) this.#add(this.#withoutDelimiter(rest));
    else if (evaluatedSql.has(word)) this.#addEvaluated(this.#withoutDelimiter(rest));
  }

  /** Lines up to one that is `end`. */
  #skipLines(end: string | undefined): void {
    // The rest of the line of the command itself.
    if (this.#text[this.#at - 1] !== '\n') this.#takeLine();
    while (this.#at < this.#text.length && this.#takeLine().trim() !== (end || 'EOF'));
  }

  #addSource(rest: string): void {
    const path = this.#withoutDelimiter(rest);
    if (!this.#parsing || path === '') return;
    if (path.includes('$')) this.#withVariable++;
    else this.#steps.push({ kind: 'source', path });
  }

  /** `--eval SELECT 1;` has one too many. */
  #withoutDelimiter(text: string): string {
    return text.endsWith(this.#delimiter) ? text.slice(0, -this.#delimiter.length).trim() : text;
  }

  #addEvaluated(text: string): void {
    // `\$` is a dollar sign; every other one begins the name of a variable.
    if (/(?<!\\)\$/.test(text)) this.#withVariable += this.#parsing ? 1 : 0;
    else this.#add(text.replace(/\\([\\$"])/g, '$1'));
  }

  #add(sql: string): void {
    if (this.#parsing && sql !== '') this.#steps.push({ kind: 'statement', sql });
  }
}

function isCommand(word: string): boolean {
  return (
    others.has(word) ||
    plainSql.has(word) ||
    evaluatedSql.has(word) ||
    withLines.has(word) ||
    /^(?:en|dis)able_\w+$/.test(word)
  );
}

function splitCommand(text: string): { readonly word: string; readonly rest: string } {
  const word = /^[\w-]*/.exec(text)?.[0] ?? '';
  return { word: word.toLowerCase(), rest: text.slice(word.length).trim() };
}
