import { isSpace } from '../statement/characters.ts';
import { lineCommentContent } from '../statement/comments.ts';
import { type Item, type Reader, statement, trimmed } from './items.ts';

/*
 * How a file of SQL falls into statements: as the mysql client cuts it (MySQL manual, "mysql Client
 * Commands"), line by line.
 *
 * - A delimiter outside quotes and comments ends a statement; so do \g and \G. DELIMITER changes it.
 * - Backslash escapes inside ' and ", not inside `.
 * - To the client, executable comments are code: a delimiter inside one ends the statement.
 * - Comments stay in the statement that they stand in: one of them may be a routing hint.
 * - A line that is a client command (SOURCE, PROMPT, …) is no statement. USE is one, also without a
 *   delimiter.
 */

const SINGLE_QUOTE = 39;
const DOUBLE_QUOTE = 34;
const BACKQUOTE = 96;
const BACKSLASH = 92;
const HASH = 35;
const MINUS = 45;
const SLASH = 47;
const STAR = 42;

const commands = new Set(
  (
    'charset clear connect edit ego exit go help nopager notee nowarning pager print prompt quit ' +
    'rehash resetconnection source ssl_session_data_print status system tee warnings'
  ).split(' '),
);
const delimiterCommand = /delimiter(?:\s+(\S+).*|\s*)$/iy;

/** Reads a file of SQL. */
export class SqlFile implements Reader {
  #delimiter = ';';
  /** Lines of the statement that has begun. */
  #begun: string[] = [];
  /** Whether it has more than white space and comments. */
  #hasContent = false;
  /** The quote that is open, or 0. */
  #quote = 0;
  #inComment = false;

  line(text: string): Item[] {
    const isInside = this.#hasContent || this.#quote !== 0 || this.#inComment;
    return (isInside ? null : this.#command(text)) ?? this.#scan(text);
  }

  end(): Item[] {
    // A comment that does not end is what the server would complain about.
    this.#hasContent ||= this.#inComment;
    return this.#statement('');
  }

  /** What a line that is a command of the client stands for; `null` if it is none. */
  #command(line: string): Item[] | null {
    if (line.includes(this.#delimiter)) {
      return null;
    }
    const text = line.trim();
    const word = /^\w+(?=\s|$)/.exec(text)?.[0].toLowerCase() ?? '';
    if (word === 'use') {
      this.#hasContent = true;
      return this.#statement(line);
    }
    // \. file, \! command
    const isCommand = commands.has(word) || /^\\[.!]/.test(text);
    return isCommand ? [] : null;
  }

  #scan(line: string): Item[] {
    const items: Item[] = [];
    let from = 0;
    for (let at = 0; at < line.length; ) {
      const end = this.#delimiterEnd(line, at);
      if (end > at) {
        items.push(...this.#statement(line.slice(from, at)));
        from = at = end;
      } else if (this.#changesDelimiter(line, at)) {
        from = at = line.length;
      } else {
        at = this.#step(line, at);
      }
    }
    this.#begun.push(line.slice(from));
    return items;
  }

  /** Behind the delimiter at `at`; `at` if there is none. */
  #delimiterEnd(line: string, at: number): number {
    if (this.#quote !== 0 || this.#inComment) {
      return at;
    }
    const code = line.charCodeAt(at);
    if (code === this.#delimiter.charCodeAt(0) && line.startsWith(this.#delimiter, at)) {
      return at + this.#delimiter.length;
    }
    const isGo = code === BACKSLASH && (line.charCodeAt(at + 1) | 32) === 103;
    return isGo ? at + 2 : at;
  }

  /** DELIMITER takes the rest of its line, wherever a statement could begin. */
  #changesDelimiter(line: string, at: number): boolean {
    if (this.#hasContent || this.#quote !== 0 || this.#inComment) {
      return false;
    }
    delimiterCommand.lastIndex = at;
    const match = delimiterCommand.exec(line);
    if (match === null) {
      return false;
    }
    this.#begun = [];
    this.#delimiter = match[1]?.replace(/^(['"`])(.+)\1$/, '$2') ?? this.#delimiter;
    return true;
  }

  /** Goes over one character, escape, comment or the rest of one; returns what comes next. */
  #step(line: string, at: number): number {
    const code = line.charCodeAt(at);
    if (this.#inComment) {
      const end = line.indexOf('*/', at);
      this.#inComment = end < 0;
      return end < 0 ? line.length : end + 2;
    }
    return this.#quote === 0 ? this.#outside(line, at, code) : this.#quoted(line, at);
  }

  #quoted(line: string, from: number): number {
    const quote = this.#quote;
    for (let at = from; at < line.length; at++) {
      const code = line.charCodeAt(at);
      if (code === quote) {
        this.#quote = 0;
        return at + 1;
      }
      if (code === BACKSLASH && quote !== BACKQUOTE) {
        at++;
      }
    }
    return line.length;
  }

  #outside(line: string, at: number, code: number): number {
    if (isSpace(code)) {
      return at + 1;
    }
    if (this.#isLineComment(line, at, code)) {
      return line.length;
    }
    if (code === SLASH && isPlainComment(line, at)) {
      this.#inComment = true;
      return at + 2;
    }
    this.#hasContent = true;
    if (code === SINGLE_QUOTE || code === DOUBLE_QUOTE || code === BACKQUOTE) {
      this.#quote = code;
    }
    return at + 1;
  }

  #isLineComment(line: string, at: number, code: number): boolean {
    if (code !== HASH && code !== MINUS) {
      return false;
    }
    // At the start of a statement the client asks for no space behind the dashes.
    const startsLine = !this.#hasContent && at === 0 && line.startsWith('--');
    return startsLine || lineCommentContent(line, at) >= 0;
  }

  #statement(last: string): Item[] {
    const text = trimmed([...this.#begun, last].join('\n'));
    const isStatement = this.#hasContent && text !== '';
    this.#begun = [];
    this.#hasContent = false;
    this.#quote = 0;
    this.#inComment = false;
    return isStatement ? [statement(text)] : [];
  }
}

/** Any but an executable one; an optimizer hint is a comment to the client. */
function isPlainComment(line: string, at: number): boolean {
  return line.charCodeAt(at + 1) === STAR && line.charCodeAt(at + 2) !== 33;
}
