import type { Facts } from '../statement/facts.ts';

const definingWords = new Set(['create', 'alter', 'rename']);
const defining = /\b(?:create|alter|rename)\b/i;

/**
 * What such a statement must contain to concern us: a view, a function, or a table with generated
 * columns (`AS`, or `LIKE` a table that has them) or with another name.
 */
const concerned = /\b(?:view|function|as|like|rename)\b/i;

/**
 * Whether a statement may make a name unsafe. DROP cannot. Neither CALL nor EXECUTE show what they
 * run: that is seen as what others run is, when the catalogue is read the next time.
 */
export function changesCatalogue({ kind, word, pin }: Facts, sql: string): boolean {
  if (pin === 'temporary-table') {
    return false;
  }
  switch (kind) {
    case 'write':
      return word !== null && definingWords.has(word) && concerned.test(sql);
    case 'multiple':
    case 'other':
      // Two searches: one expression for both could take quadratic time.
      return defining.test(sql) && concerned.test(sql);
    default:
      return false;
  }
}
