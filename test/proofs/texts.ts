import { hazardousHint, hazardousRead, hazardousTail, hazardousValue } from './hazards.ts';
import type { Random } from './random.ts';

/*
 * Texts of reads over the tables of the stage: a grammar of what is harmless, in odd clothes; in
 * some of them something that is not, mostly hidden; and some with characters changed by chance.
 */

/** What stands between two tokens. */
const gaps = [
  '\n',
  '\t',
  '\r\n',
  '\v',
  '\f',
  '  ',
  '/**/',
  '/* a */',
  "/* ' */",
  '/* " */',
  '/* ; */',
  '/* /* */',
  '-- a\n',
  "-- '\n",
  '--\t"\n',
  '--\n',
  '# b\n',
  '#\n',
  '# `\n',
  '/*! */',
  '/*!50000 */',
  '/*!99999 */',
  '/*+ NO_ICP(t) */',
  '',
] as const;

/** What gets into a text by chance. */
const fragments =
  "'|\"|`|\\|\\'|''|/*|*/|/*!|/*!50000|/*M!|/*+|--|-- |#|\n|\r|;|.|,|(|)|@|@@|:=|=|-|+|*|/|$|$$|1|1.|1e1|.5|0x|x'41'|N'|b'|_utf8|FOR UPDATE|INTO|FOR|LOCK|AS|w(1)|NULL|\\N|\0|\u00a0|\u2028|\ufeff|é|\u{1f600}|[|]|{|}|!|%|^|&|~|||?".split(
    '|',
  );

const numbers = [
  '0',
  '1',
  '2',
  '42',
  '1.5',
  '.5',
  '1.',
  '1e1',
  '1.e0',
  '.5e1',
  '1E+1',
  '2.5e-1',
  '0x41',
  '0b1',
  "x'41'",
  "X'4142'",
  "b'1'",
  '-1',
  '--1',
] as const;

const strings = [
  "'a'",
  "''",
  "'it''s'",
  "'a\\\\b'",
  "'a\\nb'",
  "'é\u{1f600}'",
  "'for update'",
  "'-- '",
  "'/*'",
  "'#'",
  "';'",
  "'a' 'b'",
  "'a'\n'b'",
  "'%'",
  "'`'",
  "'\"'",
  "'a\u00a0b'",
  "'2020-01-02'",
  '"a"',
  '"it\'s"',
  '"say ""x"""',
  '"id"',
  "N'a'",
  "_utf8mb4'a'",
  "_latin1'a'",
  "_utf8mb4 x'41'",
  "_binary'a'",
  '\'{"k": 1}\'',
] as const;

const columns = ['id', 'n', 's', 'd', 't.id', 't.n', '`id`', '`t`.`s`', 't . n', 'test.t.id'];
const names = ['a', 'b', '`for update`', '`a``b`', 'naïve', '"x"', 'last_insert_id', 'a$b', '`w`'];

const functions: readonly ((t: Texts) => string[])[] = [
  (t) => ['CONCAT(', ...t.value(), ',', ...t.value(), ')'],
  (t) => ['UPPER(', ...t.value(), ')'],
  (t) => ['LENGTH', '(', ...t.value(), ')'],
  (t) => ['ABS(', ...t.value(), ')'],
  (t) => ['COALESCE(', ...t.value(), ',', ...t.value(), ')'],
  (t) => ['IF(', ...t.value(), ',', ...t.value(), ',', ...t.value(), ')'],
  (t) => ['IFNULL', '(', ...t.value(), ',', ...t.value(), ')'],
  (t) => ['REPLACE(', ...t.value(), ',', ...t.value(), ',', ...t.value(), ')'],
  (t) => ['LEFT(', ...t.value(), ', 2 )'],
  (t) => ['SUBSTRING(', 's', 'FROM', '1', 'FOR', t.number(), ')'],
  (t) => ['SUBSTR(', ...t.value(), ',', '1', ')'],
  (t) => ['TRIM(', 'BOTH', "'a'", 'FROM', ...t.value(), ')'],
  (t) => ['CAST(', ...t.value(), 'AS', 'CHAR(10)', ')'],
  (t) => ['CONVERT(', ...t.value(), 'USING', 'utf8mb4', ')'],
  () => ['EXTRACT(', 'YEAR', 'FROM', 'd', ')'],
  (t) => ['DATE_ADD(', 'd', ',', 'INTERVAL', t.number(), 'DAY', ')'],
  (t) => ['POSITION(', "'a'", 'IN', ...t.value(), ')'],
  () => ["EXTRACTVALUE('<a><b>1</b></a>',", "'//b'", ')'],
  () => ["EXTRACTVALUE('<a>$@i</a>',", "'/a'", ')'],
  () => ['NOW()'],
  () => ['CURRENT_DATE'],
  () => ['{d', "'2020-01-02'", '}'],
  (t) => ['{fn', 'UPPER(', ...t.value(), ')', '}'],
  () => ['DATE', "'2020-01-02'"],
  (t) => ['JSON_EXTRACT(', '\'{"k": 1}\'', ',', "'$.k'", ')', '=', t.number()],
  (t) => ['GREATEST(', t.number(), ',', t.number(), ')'],
  (t) => ['( SELECT', 'COUNT(*)', 'FROM', 't', 'WHERE', ...t.value(), ')'],
  (t) => ['( SELECT', 'MAX(m)', 'FROM', 'u', 'WHERE', 'k', '=', t.number(), ')'],
  () => ['EXISTS', '(', 'SELECT', '1', 'FROM', 'u', ')'],
  (t) => ['CHAR(', '65', 'USING', 'utf8mb4', ')', '=', t.string()],
];

const operators = '+ - * / = <> != < > <= >= <=> AND OR XOR DIV MOD % & | ^ << >> || && LIKE'.split(
  ' ',
);

const beginnings: readonly string[][] = [
  [],
  [],
  [],
  ['DISTINCT'],
  ['ALL'],
  ['SQL_NO_CACHE'],
  ['STRAIGHT_JOIN'],
  ['/*+ NO_ICP(t) */'],
  ['/*+ MAX_EXECUTION_TIME(2000) */'],
];

/** Makes texts. */
export class Texts {
  readonly #random: Random;
  #depth = 0;
  /** How many hazards the text may still get. */
  #hazards = 0;

  readonly #danger: number;

  /** @param danger how many of the texts are to have a hazard, from 0 to 1 */
  constructor(random: Random, danger = 0.45) {
    this.#random = random;
    this.#danger = danger;
  }

  /** The next text. */
  next(): string {
    const random = this.#random;
    this.#depth = 0;
    this.#hazards = random.chance(this.#danger) ? 1 + random.below(2) : 0;
    const isShort = this.#hazards > 0 && random.chance(0.35);
    let text = isShort ? hazardousRead(random) : this.#join(this.#statement());
    if (random.chance(0.25)) for (let i = random.below(3); i >= 0; i--) text = this.#spoil(text);
    return text;
  }

  number(): string {
    return this.#random.pick(numbers);
  }

  string(): string {
    return this.#random.pick(strings);
  }

  value(): string[] {
    const random = this.#random;
    if (this.#hazards > 0 && random.chance(0.25)) {
      this.#hazards--;
      return [hazardousValue(random)];
    }
    if (this.#depth > 3 || random.chance(0.5)) return [this.#atom()];
    this.#depth++;
    const result = this.#compound();
    this.#depth--;
    return result;
  }

  #atom(): string {
    const random = this.#random;
    if (random.chance(0.4)) return random.pick(columns);
    return random.chance(0.5) ? this.number() : this.string();
  }

  #compound(): string[] {
    const random = this.#random;
    switch (random.below(9)) {
      case 0:
      case 1:
        return [...this.value(), random.pick(operators), ...this.value()];
      case 2:
        return ['(', ...this.value(), ')'];
      case 3:
        return [random.pick(['NOT', '-', '!', '~', '+', '- -', 'BINARY']), ...this.value()];
      case 4:
        return ['CASE', 'WHEN', ...this.value(), 'THEN', ...this.value(), 'ELSE 1', 'END'];
      case 5:
        return [...this.value(), 'IN', '(', ...this.value(), ',', ...this.value(), ')'];
      default:
        return random.pick(functions)(this);
    }
  }

  #statement(): string[] {
    const random = this.#random;
    switch (random.below(12)) {
      case 0:
        return ['(', ...this.#select(), ')'];
      case 1:
        return [...this.#select(), random.pick(['UNION', 'UNION ALL']), ...this.#select()];
      case 2:
        return ['(', ...this.#select(), ') UNION (', ...this.#select(), ')', ...this.#tail()];
      case 3:
        return ['WITH', 'c', 'AS', '(', ...this.#select(), ')', 'SELECT', '*', 'FROM c'];
      case 4:
        return ['SELECT', '*', 'FROM', '(', ...this.#select(), ')', 'AS d', ...this.#tail()];
      case 5:
        if (random.chance(0.5)) return ['EXPLAIN', ...this.#select()];
        return random.chance(0.5)
          ? ['TABLE', 't', ...this.#tail()]
          : ['VALUES', random.pick(['ROW(', '(']), ...this.value(), ')', ...this.#tail()];
      case 6:
        return [...this.#select(), ';', ...this.#tail()];
      default:
        return this.#select();
    }
  }

  #select(): string[] {
    const random = this.#random;
    const parts = ['SELECT', ...this.#beginning(), ...this.value()];
    if (random.chance(0.3)) parts.push(...this.#alias());
    if (random.chance(0.3)) parts.push(',', ...this.value());
    parts.push('FROM', 't', ...this.#source());
    if (random.chance(0.6)) parts.push('WHERE', ...this.value());
    if (random.chance(0.1)) parts.push('GROUP BY', 'id', random.chance(0.5) ? 'HAVING 1' : '');
    if (random.chance(0.2)) parts.push('ORDER BY', random.pick(columns), 'DESC');
    if (random.chance(0.2)) parts.push('LIMIT', '2');
    return [...parts, ...this.#tail()];
  }

  #beginning(): string[] {
    const random = this.#random;
    if (this.#hazards === 0 || !random.chance(0.08)) return random.pick(beginnings);
    this.#hazards--;
    return [hazardousHint(random)];
  }

  #alias(): string[] {
    const name = this.#random.pick(names);
    return this.#random.chance(0.7) ? ['AS', name] : [name];
  }

  #source(): string[] {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        return ['JOIN', 'u', 'ON', 'k', '=', 't.id'];
      case 1:
        return ['LEFT JOIN', '(', 'u', ')', 'ON', ...this.value()];
      case 2:
        return ['USE INDEX FOR JOIN', '(', 'PRIMARY', ')'];
      case 3:
        return [',', '(', 'SELECT', ...this.value(), 'AS y', ')', 'AS d'];
      default:
        return [];
    }
  }

  #tail(): string[] {
    const random = this.#random;
    if (this.#hazards === 0 || !random.chance(0.4)) return [];
    this.#hazards--;
    return [hazardousTail(random)];
  }

  #join(tokens: readonly string[]): string {
    const random = this.#random;
    const plain = random.chance(0.4);
    let text = '';
    for (const token of tokens) {
      text += `${this.#gap(token, plain || text === '')}${this.#cased(token)}`;
    }
    return random.chance(0.1) ? `${text}${random.pick(gaps)}` : text;
  }

  #gap(token: string, plain: boolean): string {
    const random = this.#random;
    // A word ends before these, whatever stands between.
    if (/^['"`@(]/.test(token) && random.chance(0.1)) return '';
    return plain || random.chance(0.8) ? ' ' : random.pick(gaps);
  }

  #cased(token: string): string {
    if (!/^[A-Z]+\(?$/.test(token) || !this.#random.chance(0.2)) return token;
    return token.toLowerCase();
  }

  /** Changes a few characters. */
  #spoil(text: string): string {
    const random = this.#random;
    const at = random.below(text.length + 1);
    const to = Math.min(text.length, at + random.below(12));
    const before = text.slice(0, at);
    const slice = text.slice(at, to);
    const behind = text.slice(to);
    switch (random.below(8)) {
      case 0:
        return before + text.slice(at + 1);
      case 1:
        return before + slice + slice + behind;
      case 2: {
        const space = text.indexOf(' ', at);
        return space < 0 ? text : text.slice(0, space) + text.slice(space + 1);
      }
      case 3: {
        const [open, close] = random.pick([
          ["'", "'"],
          ['"', '"'],
          ['`', '`'],
          ['/*', '*/'],
          ['/*!', '*/'],
          ['/*!99999', '*/'],
          ['--', '\n'],
          ['#', '\n'],
          ['(', ')'],
        ]) as readonly [string, string];
        return before + open + slice + close + behind;
      }
      default:
        return before + random.pick(fragments) + slice + behind;
    }
  }
}
