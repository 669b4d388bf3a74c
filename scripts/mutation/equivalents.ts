/** A mutant that no test can notice, or that the tests of `runner.ts` leave to slower ones. */
export interface Equivalent {
  /** Name of the source file. */
  readonly file: string;
  /** Part of the line that it changes. */
  readonly line: string;
  /** What it puts there. Default: anything. */
  readonly replacement?: string;
  readonly why: string;
}

const initial = 'begin() sets it before each text';
const first = 'never 0: something stands before it in any read';
const bound = 'one step further finds nothing: what is behind the end is no character';
const effort = 'saves work only: looking again, or further, finds the same';
const never = 'the callers never ask in that case';
const harmless = 'the token is harmless as either, and refused in the same places';
const slower = 'limits.test.ts and text.test.ts: texts of any length, one after the other';
const table = 'a typed array has no place for it';
const same = 'saves work only: what follows would change nothing';

export const equivalents: readonly Equivalent[] = [
  {
    file: 'reasons.ts',
    line: 'export const routeReasons',
    why: 'test/docs: each of them has a row in docs/routing-rules.md',
  },
  {
    file: 'calls.ts',
    line: "?.reason ?? 'unsafe-function'",
    why: 'only functions with an entry there are flagged as impure',
  },
  {
    file: 'calls.ts',
    line: 'argumentCounts.get(word) ?? [0, Infinity]',
    why: 'only functions with an entry there are flagged as counted',
  },
  { file: 'calls.ts', line: 'at <= open + MAX_DOCUMENT', why: effort },
  { file: 'characters.ts', line: 'i < characters.length', why: table },
  { file: 'characters.ts', line: 'for (let c = 0; c < 128; c++)', why: table },
  {
    file: 'characters.ts',
    line: 'return code < 128 ? FOLD[code] !== 0 : code > LAST_DOUBTFUL;',
    why: 'U+0080 to U+00A0 outside quotes fail as soon as they are reached',
  },
  { file: 'characters.ts', line: 'return code < 128 && CLASS[code] === SPACE;', why: table },
  { file: 'comments.ts', line: 'return isDashes ? at + 2 : -1;', why: never },
  { file: 'comments.ts', line: 'const isDashes =', why: never },
  { file: 'comments.ts', line: 'if (version >= 0)', replacement: 'version > 0', why: first },
  { file: 'comments.ts', line: 'if (end < 0) return BROKEN;', replacement: 'end <= 0', why: first },
  { file: 'comments.ts', line: 'return lineFeed < 0', replacement: 'lineFeed <= 0', why: first },
  { file: 'comments.ts', line: 'at < end; at++', replacement: 'at <= end', why: bound },
  {
    file: 'comments.ts',
    line: 'at - from < 7',
    why: 'more digits than six are no version, however many are counted',
  },
  { file: 'comments.ts', line: 'if (close < 0)', replacement: 'close <= 0', why: first },
  { file: 'comments.ts', line: 'return nested >= 0', replacement: 'nested > 0', why: first },
  {
    file: 'comments.ts',
    line: 'nested < close',
    replacement: 'nested <= close',
    why: 'the two do not begin with the same character',
  },
  { file: 'comments.ts', line: 'hasHash = false;', replacement: 'true', why: initial },
  { file: 'comments.ts', line: 'routedToPrimary = false;', replacement: 'true', why: initial },
  { file: 'comments.ts', line: 'hasExecutable = false;', replacement: 'true', why: initial },
  { file: 'comments.ts', line: 'isOpen = false;', replacement: 'true', why: initial },
  { file: 'comments.ts', line: "#marker = '';", why: initial },
  {
    file: 'effects.ts',
    line: '(tokens.flags(at) & vocabulary.IMPURE) !== 0',
    replacement: 'true',
    why: 'effectsOfCall finds nothing for other words',
  },
  { file: 'effects.ts', line: 'impure?.pin', why: 'impure functions have an entry there' },
  { file: 'names.ts', line: 'code < 128 ? (FOLD[code]', replacement: 'code <= 128', why: harmless },
  {
    file: 'names.ts',
    line: 'if (code > LAST_DOUBTFUL)',
    replacement: 'code >= LAST_DOUBTFUL',
    why: 'U+00A0 fails as soon as it is reached',
  },
  { file: 'names.ts', line: 'at < length; at++', replacement: 'at <= length', why: bound },
  { file: 'names.ts', line: 'export const ENDLESS = -1;', why: 'nothing ends there' },
  { file: 'numbers.ts', line: 'export const MALFORMED = -1;', why: 'nothing ends there in a read' },
  { file: 'opening.ts', line: 'Math.min(tokens.count, MAX_OPTIONS)', why: effort },
  {
    file: 'opening.ts',
    line: 'at < tokens.count; at++',
    replacement: 'at <= tokens.count',
    why: bound,
  },
  { file: 'optimizer-hints.ts', line: 'while (at < end', why: bound },
  {
    file: 'optimizer-hints.ts',
    line: 'to - from === word.length',
    replacement: 'true',
    why: effort,
  },
  { file: 'optimizer-hints.ts', line: 'to - from <= MAX_NAME', why: effort },
  { file: 'optimizer-hints.ts', line: 'return at < end && ', why: bound },
  {
    file: 'placeholders.ts',
    line: 'start === 0 ? SEPARATES',
    why: 'no read begins with a placeholder',
  },
  {
    file: 'placeholders.ts',
    line: 'if (before === 0 && codes[start - 1] === 45',
    replacement: 'true',
    why: 'a minus sign is an operator',
  },
  { file: 'placeholders.ts', line: 'return code < 128 ? (BESIDE[code]', why: harmless },
  { file: 'placeholders.ts', line: "at >= 0; at = sql.indexOf('?', at + 1)", why: first },
  { file: 'placeholders.ts', line: 'for (let code = 0; code < 128; code++)', why: table },
  {
    file: 'readings.ts',
    line: 'const quotes = reading.escapesInDouble || escapedQuote;',
    why: effort,
  },
  {
    file: 'readings.ts',
    line: 'return quotes && (reading.executable || executable);',
    why: effort,
  },
  {
    file: 'readings.ts',
    line: '{ ...withoutEscapes, executable: false },',
    replacement: '{}',
    why: 'nothing is as false as false',
  },
  { file: 'set-statement.ts', line: 'body: -1, executes: false', why: 'only reads have these' },
  {
    file: 'set-statement.ts',
    line: 'for (let at = 1; at < tokens.count; at++)',
    replacement: 'at <= tokens.count',
    why: bound,
  },
  {
    file: 'set-statement.ts',
    line: 'pin ??= assigned;',
    why: 'findEffects sees the user variable as well',
  },
  {
    file: 'set-statement.ts',
    line: 'const scope =',
    replacement: '"Stryker was here!"',
    why: 'any text that is no scope will do',
  },
  { file: 'judge.ts', line: 'get depth()', why: 'veto.test.ts: for the guard of the parser' },
  {
    file: 'judge.ts',
    line: 'if (!escapedQuote && !executableComment) return result;',
    why: effort,
  },
  { file: 'judge.ts', line: 'if (!differs(reading', replacement: 'false', why: effort },
  { file: 'judge.ts', line: 'read += sql.length;', why: slower },
  { file: 'judge.ts', line: 'if (read > MAX_READ)', why: slower },
  { file: 'judge.ts', line: 'function unread(', why: slower },
  { file: 'judge.ts', line: "reason: first.reason ?? 'malformed'", why: slower },
  {
    file: 'judge.ts',
    line: 'if (result.reason === null) this.#judgeReading(sql, defaultReading);',
    why: 'veto.test.ts: for the parser, which reads the tokens next',
  },
  {
    file: 'judge.ts',
    line: "writes.has(refusal.word ?? '')",
    why: 'what writes has a word, and these words have no other reason',
  },
  {
    file: 'judge.ts',
    line: "first === 'empty'",
    why: 'the default reading is empty only if all are',
  },
  { file: 'lexer.ts', line: 'const kind = code < 128 ? CLASS[code] : WIDE;', why: harmless },
  { file: 'lexer.ts', line: 'if (code > 127) {', replacement: 'code >= 127', why: harmless },
  {
    file: 'lexer.ts',
    line: 'this.tokens.push(code, at, at + 1, 0, code);',
    why: 'nobody asks where punctuation ends',
  },
  {
    file: 'lexer.ts',
    line: 'tokens.push(PERIOD, at, at + 1, 0, PERIOD);',
    why: 'nobody asks where punctuation ends',
  },
  {
    file: 'lexer.ts',
    line: 'return second >= 0 && second < end',
    replacement: 'second > 0',
    why: first,
  },
  {
    file: 'lexer.ts',
    line: 'return second >= 0 && second < end',
    replacement: 'second <= end',
    why: 'a word does not end at a $',
  },
  { file: 'lexer.ts', line: 'at < length; at++', replacement: 'at <= length', why: bound },
  {
    file: 'lexer.ts',
    line: 'if (codes[at + 1] !== 39)',
    replacement: 'true',
    why: 'two strings side by side are as one',
  },
  {
    file: 'lexer.ts',
    line: 'if (codes[at + 1] !== 34)',
    replacement: 'true',
    why: 'two strings side by side are as one',
  },
  { file: 'lexer.ts', line: 'this.escapedQuote = true;', replacement: 'true', why: effort },
  {
    file: 'lexer.ts',
    line: '(type === NAME || type === WORD) && tokens.end(last) === at',
    why: 'a word that touches a point and a digit is a NAME',
  },
  {
    file: 'lexer.ts',
    line: "return end < 0 ? this.#fail('unrecognised', ':')",
    replacement: 'end <= 0',
    why: first,
  },
  { file: 'lexer.ts', line: 'if (end >= 0) return end;', replacement: 'end > 0', why: first },
  {
    file: 'lexer.ts',
    line: 'code > 32 && code < 127',
    replacement: 'code >= 32',
    why: 'a space is none of them',
  },
  { file: 'lexer.ts', line: 'code > 32 && code < 127', replacement: 'true', why: never },
  { file: 'lexer.ts', line: 'impossible = false;', replacement: 'true', why: initial },
  { file: 'lexer.ts', line: 'multiple = false;', replacement: 'true', why: initial },
  { file: 'lexer.ts', line: '#firstSemicolon = -1;', why: initial },
  { file: 'lexer.ts', line: 'escapedQuote = false;', replacement: 'true', why: initial },
  { file: 'lexer.ts', line: '#hasDoubleQuote = false;', replacement: 'true', why: initial },
  { file: 'reads.ts', line: '& NEEDS_RULE) !== 0', replacement: 'true', why: effort },
  {
    file: 'reads.ts',
    line: 'if (entries[at] !== 0) refusal = judgeName',
    replacement: 'true',
    why: effort,
  },
  {
    file: 'reads.ts',
    line: 'if (depth > deepest) deepest = depth;',
    why: 'veto.test.ts: the guard of the parser',
  },
  { file: 'reads.ts', line: 'if (depth > 0 && this.#watched[depth] !== 0)', why: effort },
  { file: 'reads.ts', line: 'return depth === 0 ? -1 :', why: 'no read begins with SUBSTRING' },
  {
    file: 'reads.ts',
    line: 'const called = open > 0 &&',
    why: 'quoted names are no built-in functions',
  },
  { file: 'reads.ts', line: 'if (watched === 0) return;', replacement: 'false', why: effort },
  {
    file: 'reads.ts',
    line: 'before > WORD && before <= NAME_PLACEHOLDER',
    replacement: 'before >= WORD',
    why: never,
  },
  {
    file: 'reads.ts',
    line: 'before > WORD && before <= NAME_PLACEHOLDER',
    replacement: 'true',
    why: 'variables are refused before it',
  },
  { file: 'reads.ts', line: '(MAX_DEPTH + 1)', why: 'what is deeper than any server parses' },
  { file: 'tokens.ts', line: 'if (sql.length > Math.max(LONG, room))', why: slower },
  { file: 'tokens.ts', line: 'else if (room > KEPT && sql.length <= LONG)', why: slower },
  { file: 'tokens.ts', line: 'return t < this.count ? (this.vocabulary.flags', why: never },
  {
    file: 'tokens.ts',
    line: 'if (entry !== 0) return (this.vocabulary.words[entry]',
    why: 'properties.test.ts: the same word, at most 64 characters of it',
  },
  {
    file: 'tokens.ts',
    line: 'return this.sql',
    why: 'properties.test.ts: at most 64 characters, in lower case',
  },
  { file: 'tokens.ts', line: 'const kept = capacity > this.count', why: slower },
  { file: 'tokens.ts', line: "sql = '';", why: initial },
  { file: 'vocabulary.ts', line: "readonly words: string[] = [''];", why: 'entry 0 is no word' },
  {
    file: 'vocabulary.ts',
    line: 'readonly flags: number[] = [0];',
    why: 'nothing is as false as 0',
  },
  { file: 'vocabulary.ts', line: '#letters = new Uint16Array(MIN_SLOTS * 4);', why: 'it grows' },
  {
    file: 'vocabulary.ts',
    replacement: '["Stryker was here"]',
    line: '',
    why: 'no text has this name',
  },
  {
    file: 'vocabulary.ts',
    line: 'if (this.#hashes[entry] === hash && this.#isWord',
    why: effort,
  },
  { file: 'vocabulary.ts', line: 'if (code > 127) return foldName', why: effort },
  {
    file: 'vocabulary.ts',
    line: 'if (entry !== 0) this.flags[entry]',
    replacement: 'true',
    why: 'entry 0 is no word',
  },
  {
    file: 'vocabulary.ts',
    line: 'if (this.words.length * 3 > this.#slots.length)',
    why: 'a fuller table finds the same',
  },
  {
    file: 'vocabulary.ts',
    line: 'if (to > this.#letters.length)',
    replacement: 'to >= this.#letters.length',
    why: effort,
  },
  { file: 'vocabulary.ts', line: 'for (let i = 0; i < word.length; i++)', why: bound },
  {
    file: 'vocabulary.ts',
    line: 'return code < 128 ? FOLD[code] || code : 1;',
    replacement: 'code <= 128',
    why: harmless,
  },
  {
    file: 'words.ts',
    line: 'if (opener > 0 && tokens.isOneOf(opener - 1',
    why: 'no read begins with SUBSTRING',
  },
  { file: 'words.ts', line: 'const word = name.slice(0, 64);', why: 'no name of a rule is longer' },
  { file: 'reads.ts', line: 'for (let at = from; at < tokens.count; at++)', why: bound },
  {
    file: 'tokens.ts',
    line: '#resize(capacity: number): void {',
    why: 'the arrays have grown before in this process: limits.test.ts',
  },
  {
    file: 'words.ts',
    line: 'return tokens.type(open - 1) === token.WORD && (tokens.flags(open - 1) & functions)',
    why: 'a quoted name before the parenthesis is refused for itself',
  },
  {
    file: 'tokens.ts',
    line: 'return t >= 0 && t < this.count',
    replacement: 'true',
    why: 'survivors.test.ts notices it ("a text after another one") in a process of its own',
  },
  { file: 'observe.ts', line: 'if (isOff === wasOff) {', why: same },
  { file: 'observe.ts', line: 'if (state.answers.length === 0) {', why: same },
  {
    file: 'observe.ts',
    line: ": kind === 'multiple' || pin !== null",
    why: 'several statements always have a pin',
  },
  {
    file: 'observe.ts',
    line: "if (before !== 'open' && before !== 'perhaps-over') {",
    why: "'perhaps-over' stays what it is, here or further down",
  },
  {
    file: 'predict.ts',
    line: 'if (facts.reason === null && facts.pin === null && !facts.callsUnknown) {',
    why: same,
  },
  {
    file: 'state.ts',
    line: 'objects === null || (object !== null && objects.includes(object))',
    replacement: 'true',
    why: 'for the type: no list of names has null in it',
  },
];
