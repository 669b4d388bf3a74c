import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type Server, spread } from './server.ts';

/** What follows a function's name in a call that the server accepts. */
export type Tail = string;

const point = "ST_GeomFromText('POINT(1 2)')";
const line = "ST_GeomFromText('LINESTRING(0 0, 1 1, 2 0)')";
const square = "ST_GeomFromText('POLYGON((0 0, 0 2, 2 2, 2 0, 0 0))')";
const collection = "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')";
const ring = 'POLYGON((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))';
const rows = 'FROM (SELECT 1 AS a UNION ALL SELECT 4) AS t';

/** Calls that the search cannot find: own syntax, rare arguments, an answer that is not NULL. */
const tails: Readonly<Record<string, Tail>> = {
  aes_decrypt: "(AES_ENCRYPT('text', 'key'), 'key')",
  bin_to_uuid: "(UNHEX('6CCD780CBABA102695645B8C656024DB'))",
  cast: "('1' AS SIGNED)",
  column_get: "(COLUMN_CREATE('a', 1), 'a' AS SIGNED)",
  convert: "('text' USING utf8mb4)",
  convert_tz: "('2020-01-02 03:04:05', '+00:00', '+02:00')",
  date_add: "('2020-01-02', INTERVAL 1 DAY)",
  date_sub: "('2020-01-02', INTERVAL 1 DAY)",
  decode_histogram: "('SINGLE_PREC_HB', UNHEX('7F'))",
  extract: "(YEAR FROM '2020-01-02')",
  first_value: '(a) OVER (ORDER BY a) FROM (SELECT 1 AS a) AS t',
  from_base64: "('dGV4dA==')",
  from_vector: "(TO_VECTOR('[1, 2]'))",
  get_format: "(DATE, 'USA')",
  grouping: '(a) FROM (SELECT 1 AS a) AS t GROUP BY a WITH ROLLUP LIMIT 1',
  geometryn: `(${collection}, 1)`,
  inet6_ntoa: "(INET6_ATON('::1'))",
  insert: "('text', 1, 2, 'new')",
  interiorringn: `(ST_GeomFromText('${ring}'), 1)`,
  json_array_insert: "('[1, 2]', '$[1]', 3)",
  json_contains_path: `('{"a": 1}', 'one', '$.a')`,
  json_search: `('{"a": "x"}', 'one', 'x')`,
  json_table: "('[1]', '$[*]' COLUMNS (a INT PATH '$')) AS t",
  json_value: `('{"a": 1}', '$.a')`,
  lag: '(a, 0) OVER (ORDER BY a) FROM (SELECT 1 AS a) AS t',
  lead: '(a, 0) OVER (ORDER BY a) FROM (SELECT 1 AS a) AS t',
  last_value: '(a) OVER (ORDER BY a) FROM (SELECT 1 AS a) AS t',
  median: `(a) OVER () ${rows} LIMIT 1`,
  nth_value: '(a, 1) OVER (ORDER BY a) FROM (SELECT 1 AS a) AS t',
  ntile: '(2) OVER ()',
  numgeometries: `(${collection})`,
  percentile_cont: `(0.5) WITHIN GROUP (ORDER BY a) OVER () ${rows} LIMIT 1`,
  percentile_disc: `(0.5) WITHIN GROUP (ORDER BY a) OVER () ${rows} LIMIT 1`,
  polygon: `(${line.replace('0 0, 1 1, 2 0', '0 0, 0 1, 1 1, 0 0')})`,
  position: "('x' IN 'text')",
  st_buffer_strategy: "('point_circle', 8)",
  st_geometryn: `(${collection}, 1)`,
  st_geomfromgeojson: `('{"type": "Point", "coordinates": [1, 2]}')`,
  st_interiorringn: `(ST_GeomFromText('${ring}'), 1)`,
  st_latitude: "(ST_GeomFromText('POINT(1 2)', 4326))",
  st_longitude: "(ST_GeomFromText('POINT(1 2)', 4326))",
  st_numgeometries: `(${collection})`,
  st_relate: `(${point}, ${square}, 'T********')`,
  statement_digest: "('SELECT 1')",
  statement_digest_text: "('SELECT 1')",
  stddev_samp: `(a) ${rows}`,
  str_to_date: "('2020-01-02', '%Y-%m-%d')",
  string_to_vector: "('[1, 2]')",
  timestampadd: "(DAY, 1, '2020-01-02')",
  timestampdiff: "(DAY, '2020-01-02', '2020-01-05')",
  to_vector: "('[1, 2]')",
  uncompress: "(COMPRESS('text'))",
  updatexml: "('<a>1</a>', '/a', '<a>2</a>')",
  var_samp: `(a) ${rows}`,
  vector_dim: "(TO_VECTOR('[1, 2]'))",
  vector_to_string: "(TO_VECTOR('[1, 2]'))",
};

const noArguments = new Set(['cume_dist', 'dense_rank', 'percent_rank', 'rank', 'row_number']);

/** Well-known text by the stem that the `…FromText` and `…FromWKB` functions have for its type. */
const shapes: readonly (readonly [stem: RegExp, text: string])[] = [
  [/^(geomcoll|geometrycollection)/, 'GEOMETRYCOLLECTION(POINT(1 2))'],
  [/^(mpoly|multipolygon)/, 'MULTIPOLYGON(((0 0, 0 1, 1 1, 0 0)))'],
  [/^(mline|multilinestring)/, 'MULTILINESTRING((0 0, 1 1))'],
  [/^(mpoint|multipoint)/, 'MULTIPOINT(1 2)'],
  [/^poly/, 'POLYGON((0 0, 0 1, 1 1, 0 0))'],
  [/^line/, 'LINESTRING(0 0, 1 1)'],
  [/^(point|geom)/, 'POINT(1 2)'],
];

/** Arguments that the search tries, in this order. */
const pool = [
  "'1'",
  '2',
  `'{"a": [1, 2]}'`,
  "'$.a'",
  "'2020-01-02 03:04:05'",
  point,
  line,
  square,
  "'::1'",
  "'6ccd780c-baba-1026-9564-5b8c656024db'",
];

/** A call of `name` as a statement, with `gap` before the parenthesis. */
export function statement(name: string, tail: Tail, gap = ''): string {
  return `SELECT ${name === 'json_table' ? '* FROM ' : ''}${name}${gap}${tail}`;
}

/** A call of each name that the server accepts, if there is one. */
export async function findTails(
  server: Server,
  names: Iterable<string>,
): Promise<Map<string, Tail>> {
  const found = new Map<string, Tail>();
  await spread(server, names, async (connection, name) => {
    const tail = await findTail(connection, name);
    if (tail !== undefined) found.set(name, tail);
  });
  return found;
}

/** A call that succeeds, with an answer other than NULL if any is found. */
async function findTail(connection: Connection, name: string): Promise<Tail | undefined> {
  let fallback: Tail | undefined;
  for (const tail of tailsFor(name)) {
    const answer = await firstValue(connection, statement(name, tail));
    if (answer === undefined) continue;
    if (answer !== null) return tail;
    fallback ??= tail;
  }
  return fallback;
}

function* tailsFor(name: string): Generator<Tail> {
  const known =
    tails[name] ??
    (noArguments.has(name) ? '() OVER (ORDER BY a) FROM (SELECT 1 AS a) AS t' : shapeTail(name));
  if (known !== undefined) yield known;
  for (const args of argumentLists(3)) yield `(${args.join(', ')})`;
}

/** Arguments for the functions that make a geometry of text or of its binary form. */
function shapeTail(name: string): Tail | undefined {
  const parts = /^(?:st_)?(\w+)from(te?xt|wkb)$/.exec(name);
  const text = shapes.find(([stem]) => stem.test(parts?.[1] ?? ''))?.[1];
  if (text === undefined) return undefined;
  return parts?.[2] === 'wkb' ? `(ST_AsWKB(ST_GeomFromText('${text}')))` : `('${text}')`;
}

function* argumentLists(longest: number): Generator<string[]> {
  yield [];
  if (longest === 0) return;
  for (const head of argumentLists(longest - 1)) for (const each of pool) yield [...head, each];
}

/** `undefined`: the server refused. */
async function firstValue(connection: Connection, sql: string): Promise<unknown> {
  try {
    const [found] = await connection.query<RowDataPacket[]>({ sql, rowsAsArray: true });
    return found[0]?.[0] ?? null;
  } catch {
    return undefined;
  }
}
