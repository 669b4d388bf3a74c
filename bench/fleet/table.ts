/**
 * A table as plain text: columns as wide as their widest cell, the first to the left, the others to the
 * right. A header may have several lines.
 */
export function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = headers.map((header) => header.split('\n'));
  const height = Math.max(...lines.map((header) => header.length));
  const heads = Array.from({ length: height }, (_, line) =>
    lines.map((header) => header[line - height + header.length] ?? ''),
  );
  const all = [...heads, ...rows];
  const widths = headers.map((_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
