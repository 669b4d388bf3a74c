/*
 * Times are CPU time (user) of this process, so that other work on the machine counts less; what
 * is left of it shows in the loop that every figure is set beside.
 */

/** CPU time of one run in µs. */
export function cpu(run: () => void): number {
  const before = process.cpuUsage();
  run();
  return process.cpuUsage(before).user;
}

/** The value that this share of all values is below: 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A flat string that no one has read yet, as it comes out of a query builder that was joined. */
export function fresh(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** What becomes of results, lest the compiler leaves the work out. */
export const sink = { value: 0 };

/** Reads every character and nothing else: how fast this machine is just now. */
export function scan(text: string): void {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 31);
  sink.value += hash;
}

/** One line of a table. */
export function row(first: string, ...cells: readonly (string | number)[]): void {
  const texts = cells.map((cell) =>
    (typeof cell === 'number' ? cell.toFixed(2) : cell).padStart(10),
  );
  console.log(first.padEnd(30) + texts.join(''));
}

export function verdict(figure: number, bar: number): string {
  return figure <= bar ? 'met' : 'MISSED';
}
