import { once } from 'node:events';

/** A stream that text is written to. */
export interface TextStream {
  write(text: string): boolean;
  on(event: 'drain', listener: () => void): unknown;
  readonly columns?: number | undefined;
  readonly isTTY?: boolean | undefined;
}

/** Characters that are written at once. */
const chunk = 65_536;

/** Collects text for a stream, and waits where the stream asks for it. */
export class Output {
  readonly stream: TextStream;
  #text = '';

  constructor(stream: TextStream) {
    this.stream = stream;
  }

  add(text: string): void {
    this.#text += text;
  }

  /** To be awaited between parts of the input: what was added must not pile up. */
  async flush(isEnd = false): Promise<void> {
    if (this.#text.length < chunk && !isEnd) {
      return;
    }
    const text = this.#text;
    this.#text = '';
    if (text !== '' && !this.stream.write(text)) {
      await once(this.stream as NodeJS.WritableStream, 'drain');
    }
  }
}
