import type { PoolOptions } from '../pool/mysql2.ts';

/**
 * Reads a connection URL as mysql2 does: credentials, address, database, and any other option as a
 * query parameter, whose value is JSON where it reads as such. `null` if it is no such URL: the text
 * may hold a password, so that no message may show it.
 */
export function parseUrl(text: string): PoolOptions | null {
  try {
    return read(text);
  } catch {
    // A percent sign that encodes nothing.
    return null;
  }
}

function read(text: string): PoolOptions | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^(mysql2?|mariadb):$/.test(url.protocol) || url.hostname === '') {
    return null;
  }
  const options: Record<string, unknown> = { host: decodeURIComponent(url.hostname) };
  if (url.port !== '') {
    options['port'] = Number(url.port);
  }
  if (url.username !== '') {
    options['user'] = decodeURIComponent(url.username);
  }
  if (url.password !== '') {
    options['password'] = decodeURIComponent(url.password);
  }
  if (url.pathname.length > 1) {
    options['database'] = decodeURIComponent(url.pathname.slice(1));
  }
  for (const [key, value] of url.searchParams) {
    options[key] = jsonOrText(value);
  }
  return options;
}

function jsonOrText(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
