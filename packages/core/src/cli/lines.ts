import { StringDecoder } from 'node:string_decoder';

/**
 * Cuts chunks of text into lines at line feeds, and at nothing else: a carriage return or U+2028 may
 * be part of a statement. A line of many chunks is put together once, so that time stays linear.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #begun: string[] = [];
  #isFirst = true;

  /** The lines that end in this chunk, without their line feeds. */
  push(chunk: string | Uint8Array): string[] {
    const text =
      typeof chunk === 'string'
        ? chunk
        : this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    const lines = this.#withoutMark(text).split('\n');
    const rest = lines.pop() ?? '';
    const [first] = lines;
    if (first !== undefined && this.#begun.length > 0) {
      lines[0] = this.#begun.join('') + first;
      this.#begun = [];
    }
    if (rest !== '') {
      this.#begun.push(rest);
    }
    return lines;
  }

  /** What stands behind the last line feed, if anything does. */
  end(): string[] {
    const rest = this.#begun.join('') + this.#decoder.end();
    return rest === '' ? [] : [rest];
  }

  /** The byte order mark that some editors put at the start of a file. */
  #withoutMark(text: string): string {
    if (!this.#isFirst || text === '') {
      return text;
    }
    this.#isFirst = false;
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  }
}
