import type { Facts, TextReason } from '../statement/facts.ts';

const definingWords = new Set(['create', 'alter', 'rename']);
const defining = /\b(?:create|alter|rename)\b/i;

/**
 * What such a statement must contain to concern us: a view, a function, or a table with generated
 * columns (`AS`, `LIKE` a table that has them, or a partition of one) or with another name.
 */
const concerned = /\b(?:view|function|as|like|rename|convert)\b/i;

function isUnread(reason: TextReason | null): boolean {
  return reason === 'malformed' || reason === 'unrecognised';
}

/** Two searches: one expression for both could take quadratic time. */
function mayDefine(text: () => string): boolean {
  const sql = text();
  return defining.test(sql) && concerned.test(sql);
}

/**
 * Whether a statement may make a name unsafe. DROP cannot. Neither CALL nor EXECUTE show what they
 * run: that is seen as what others run is, when the catalogue is read the next time.
 */
export function changesCatalogue({ kind, reason, word, pin }: Facts, text: () => string): boolean {
  if (pin === 'temporary-table') {
    return false;
  }
  switch (kind) {
    case 'write':
      // What does not lex has no first word.
      return (isUnread(reason) || definingWords.has(word ?? '')) && mayDefine(text);
    case 'multiple':
    case 'other':
    // MariaDB: SET STATEMENT … FOR CREATE VIEW …
    case 'set':
      return mayDefine(text);
    default:
      return false;
  }
}
