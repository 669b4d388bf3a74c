/** Room for characters that is there from the start, and the most that is kept between texts. */
const SMALL = 1024;
const KEPT = 65_536;

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The characters of one text as UTF-16 codes, in an array that is used again for the next text:
 * `charCodeAt` looks at each call what kind of string it has, and makes `NaN` of what is behind the
 * end, which takes the loops of the lexer up to four times as long.
 */
export class Text {
  sql = '';
  length = 0;
  /** A code for each character, and a 0 behind the last. */
  codes = new Uint16Array(SMALL);
  #bytes = Buffer.from(this.codes.buffer);

  begin(sql: string): void {
    const { length } = sql;
    const room = this.codes.length;
    if (length >= room) this.#resize(length < KEPT ? KEPT : length + 1);
    else if (room > KEPT && length < KEPT) this.#resize(KEPT);
    if (isLittleEndian) this.#bytes.write(sql, 0, 'utf16le');
    else for (let at = 0; at < length; at++) this.codes[at] = sql.charCodeAt(at);
    this.codes[length] = 0;
    this.sql = sql;
    this.length = length;
  }

  #resize(room: number): void {
    this.codes = new Uint16Array(room);
    this.#bytes = Buffer.from(this.codes.buffer);
  }
}
