import { compact, formatGtidSet, type GtidDialect, type GtidSet, parseGtidSet } from './set.ts';

/** How far the servers of a cluster must be for a read. */
export type TokenPosition =
  | { readonly kind: 'gtids'; readonly set: GtidSet }
  /** Where the servers give no GTIDs: `at` is when the last write was, in ms since the epoch. */
  | { readonly kind: 'time'; readonly at: number };

/** What a token says of one cluster: a primary and its replicas. */
export interface TokenPart {
  /** At most 32 of `A-Z a-z 0-9 _ -`. */
  readonly cluster: string;
  readonly position: TokenPosition;
}

/** The longest token, in characters: a cookie of 4096 bytes has room for it, whatever else is in it. */
export const longestToken = 1000;

/** So many clusters surely fit, whatever their names and positions are. */
export const mostClusters = 19;

/*
 * Only characters that a cookie value (RFC 6265), an HTTP header and a URL path carry as they are:
 *
 *   token    = "1" *( "~" part )
 *   part     = cluster "!" ( "m" [ server *( "!" server ) ] | "d" [ gtid *( "!" gtid ) ] | "t" time )
 *   cluster  = *32( ALPHA / DIGIT / "_" / "-" )
 *   server   = 32HEXDIG 1*( "." ( number [ "-" number ] / tag ) )     MySQL: a tag begins with no digit
 *   gtid     = number "-" number "-" number                           MariaDB: domain, server, sequence
 *   time     = number                                                 ms since the epoch
 *
 * It is the text of the set with "!" for "," and "." for ":", and uuids without dashes.
 */
const version = '1';
const clusterName = /^[A-Za-z0-9_-]{0,32}$/;
const uuidLength = 36;
const setLetters: Readonly<Record<GtidDialect, string>> = { mysql: 'm', mariadb: 'd' };
/** What ECMAScript's `Date` can say. */
const greatestTime = 8.64e15;

/**
 * The token of what a client has written or seen. Positions that make it longer than
 * {@link longestToken} are replaced by ones that ask for more: first sets with fewer intervals, then
 * a time.
 *
 * @param now ms since the epoch: the time for sets that do not fit
 * @throws TypeError if a part could not be read again: a name, a time out of bounds, a cluster twice
 * @throws RangeError if there are too many clusters for one token; {@link mostClusters} always fit
 */
export function formatToken(parts: readonly TokenPart[], now: number): string {
  const names = new Set(parts.map(({ cluster }) => cluster));
  if (names.size < parts.length) throw new TypeError('a token has one part for each cluster');
  let asked = parts;
  for (;;) {
    const token = fitted(asked);
    if (token !== null) return token;
    asked = withoutLongestSet(asked, now);
  }
}

/** The token with as many intervals as fit; `null` if one interval each is too much. */
function fitted(parts: readonly TokenPart[]): string | null {
  const full = written(parts);
  if (full.length <= longestToken) return full;
  // No interval takes less than two characters, `.1`.
  let tooMany = longestToken / 2;
  const shorter = parts.map((part) => compacted(part, tooMany));
  let best: string | null = null;
  let fits = 0;
  while (tooMany - fits > 1) {
    const most = (fits + tooMany) >>> 1;
    const token = written(shorter.map((part) => compacted(part, most)));
    if (token.length > longestToken) tooMany = most;
    else {
      best = token;
      fits = most;
    }
  }
  return best;
}

function compacted({ cluster, position }: TokenPart, most: number): TokenPart {
  if (position.kind === 'time') return { cluster, position };
  return { cluster, position: { kind: 'gtids', set: compact(position.set, most) } };
}

/** Asks for a time instead of the set that takes the most room even with the fewest intervals. */
function withoutLongestSet(parts: readonly TokenPart[], now: number): readonly TokenPart[] {
  const lengths = parts.map((part) =>
    part.position.kind === 'time' ? 0 : writtenPart(compacted(part, 1)).length,
  );
  const longest = Math.max(...lengths);
  if (longest === 0) throw new RangeError(`${parts.length} clusters are too many for one token`);
  const index = lengths.indexOf(longest);
  return parts.map((part, i) =>
    i === index ? { cluster: part.cluster, position: { kind: 'time', at: now } } : part,
  );
}

function written(parts: readonly TokenPart[]): string {
  return [version, ...parts.map(writtenPart)].join('~');
}

function writtenPart({ cluster, position }: TokenPart): string {
  if (!clusterName.test(cluster)) throw new TypeError('a cluster name is not fit for a token');
  const text = position.kind === 'time' ? writtenTime(position.at) : writtenSet(position.set);
  return `${cluster}!${text}`;
}

function writtenTime(at: number): string {
  if (!(at >= 0 && at <= greatestTime)) throw new TypeError('a time is not fit for a token');
  // Never earlier than the write.
  return `t${Math.ceil(at)}`;
}

function writtenSet(set: GtidSet): string {
  const texts = formatGtidSet(set).split(',');
  const short = set.dialect === 'mysql' ? texts.map(withoutDashes) : texts;
  return setLetters[set.dialect] + short.join('!').replaceAll(':', '.');
}

/** `uuid:…`, the uuid without its dashes. */
function withoutDashes(server: string): string {
  return server.slice(0, uuidLength).replaceAll('-', '') + server.slice(uuidLength);
}

/**
 * Reads a token. Only what {@link formatToken} writes is one: each position has one text.
 *
 * @returns `null` for anything else, whatever its type; it never throws
 */
export function parseToken(text: unknown): readonly TokenPart[] | null {
  if (typeof text !== 'string' || text.length > longestToken) return null;
  const [first, ...rest] = text.split('~');
  if (first !== version || rest.length > mostClusters) return null;
  const parts: TokenPart[] = [];
  for (const partText of rest) {
    const part = parsePart(partText);
    if (part === null || parts.some(({ cluster }) => cluster === part.cluster)) return null;
    parts.push(part);
  }
  return parts;
}

function parsePart(text: string): TokenPart | null {
  const end = text.indexOf('!');
  if (end < 0) return null;
  const cluster = text.slice(0, end);
  const position = clusterName.test(cluster) ? parsePosition(text.slice(end + 1)) : null;
  if (position === null) return null;
  // Leading zeros, another order, intervals that overlap: nothing that was written here.
  const part = { cluster, position };
  return writtenPart(part) === text ? part : null;
}

function parsePosition(text: string): TokenPosition | null {
  const value = text.slice(1);
  switch (text[0]) {
    case 'm':
      return setPosition(value, 'mysql');
    case 'd':
      return setPosition(value, 'mariadb');
    case 't':
      return parseTime(value);
    default:
      return null;
  }
}

function setPosition(value: string, dialect: GtidDialect): TokenPosition | null {
  // Like MySQL, this reads uuids without dashes.
  const set = parseGtidSet(value.replaceAll('!', ',').replaceAll('.', ':'), dialect);
  return set === null ? null : { kind: 'gtids', set };
}

function parseTime(digits: string): TokenPosition | null {
  const at = Number(digits);
  return at >= 0 && at <= greatestTime ? { kind: 'time', at } : null;
}
