/** One way to read a text: what its quotes and executable comments mean. */
export interface Reading {
  /** Backslash escapes inside `'`; not under NO_BACKSLASH_ESCAPES. */
  readonly escapesInSingle: boolean;
  /** Backslash escapes inside `"`; not under NO_BACKSLASH_ESCAPES or ANSI_QUOTES. */
  readonly escapesInDouble: boolean;
  /** The content of executable comments is code; not on a server that they are not for. */
  readonly executable: boolean;
}

/** The reading of the default sql_mode on a server that the executable comments are for. */
export const defaultReading: Reading = {
  escapesInSingle: true,
  escapesInDouble: true,
  executable: true,
};

const withoutEscapes: Reading = {
  ...defaultReading,
  escapesInSingle: false,
  escapesInDouble: false,
};
const ansiQuotes: Reading = { ...defaultReading, escapesInDouble: false };

/**
 * All other readings: NO_BACKSLASH_ESCAPES, ANSI_QUOTES, and each of the three on a server that
 * skips the executable comments. Those that skip come last: what they differ in shows in the
 * flags of the readings before them.
 */
export const otherReadings: readonly Reading[] = [
  withoutEscapes,
  ansiQuotes,
  { ...defaultReading, executable: false },
  { ...withoutEscapes, executable: false },
  { ...ansiQuotes, executable: false },
];

/** Whether the text can differ in this reading, by what the readings before it have shown. */
export function differs(reading: Reading, escapedQuote: boolean, executable: boolean): boolean {
  const quotes = reading.escapesInDouble || escapedQuote;
  return quotes && (reading.executable || executable);
}
