/** Texts as Knex and Kysely compile them, 130, 540 and 2,000 characters long. */
const short =
  'select `u`.`id`, `u`.`email`, `u`.`name` from `users` as `u` where `u`.`tenant_id` = ? and ' +
  '`u`.`deleted_at` is null limit ? offset';

const middle =
  'select `o`.`id`, `o`.`total`, count(distinct `i`.`id`) as `items`, sum(`i`.`price` * ' +
  '`i`.`quantity`) as `value`, max(`i`.`created_at`) as `last` from `orders` as `o` inner join ' +
  '`order_items` as `i` on `i`.`order_id` = `o`.`id` left join `customers` as `c` on `c`.`id` = ' +
  '`o`.`customer_id` and `c`.`deleted_at` is null where `o`.`status` in (?, ?, ?) and ' +
  '`o`.`created_at` between ? and ? and (`c`.`email` like ? or `c`.`name` like ?) group by ' +
  '`o`.`id`, `o`.`total` having count(*) > ? order by `value` desc limit ? offset ?';

const columns = Array.from({ length: 24 }, (_, i) => `\`a\`.\`column_${i}\``).join(', ');
const long =
  `with \`a\` as (${middle}) select ${columns} from \`a\` union all select ${columns} from ` +
  `\`b\` as \`a\` where \`a\`.\`id\` in (${middle.replaceAll('`o`', '`p`')})`;

/** With a number in place of a value, so that no two texts are alike. */
export const plainReads: readonly ((value: number) => string)[] = [short, middle, long].map(
  (text) => (value) => text.replace('?', String(1_000_000 + value)),
);

export const mebibyte = 1024 * 1024;

/** `part` as often as it fits into `length` characters. */
export function filled(start: string, part: string, end = '', length = mebibyte): string {
  const times = Math.floor((length - start.length - end.length) / part.length);
  return start + part.repeat(times) + end;
}

/** Texts of 1 MiB that someone may send, or that were the worst for some loop. */
export const largeTexts: Readonly<Record<string, string>> = {
  'a list of numbers': filled('SELECT 1 FROM t WHERE a IN (1', ', 12345', ')'),
  'a list of placeholders': filled('SELECT 1 FROM t WHERE a IN (?', ',?', ')'),
  'an INSERT of many rows': filled("INSERT INTO t VALUES (1, 'a')", ", (1, 'a long text')"),
  'escaped quotes': filled("SELECT 'x'", ", 'it\\'s'"),
  'one long string': filled("SELECT '", 'x', "'"),
  'one long name': filled('SELECT ', 'x'),
  words: filled('SELECT a', ' a'),
  points: filled('SELECT a', '.a'),
  'minus signs': filled('SELECT 1', '-'),
  'open parentheses': filled('SELECT ', '('),
  'pairs of parentheses': filled('SELECT 1', ',()'),
  comments: filled('SELECT 1', '/**/'),
  semicolons: filled('SELECT 1', '; SELECT 1'),
};
