import type { Facts, TextReason } from '../statement/facts.ts';

const harmless: ReadonlySet<TextReason | null> = new Set([
  'session-function',
  'system-variable',
  'show',
]);

/** Whether a statement only asks: it changes nothing, wherever it runs. */
export function onlyAsks({ asks, pin, reason }: Facts): boolean {
  return asks.length > 0 && pin === null && harmless.has(reason);
}
