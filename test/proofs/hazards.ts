import type { Random } from './random.ts';

/*
 * What must not run on a replica, and what may hide it from a reader of the text. Most of these
 * are no SQL: the server says which.
 */

/** Behind a query. The stage has what they name. */
const tails = [
  'FOR UPDATE',
  'FOR SHARE',
  'LOCK IN SHARE MODE',
  'FOR UPDATE NOWAIT',
  'FOR UPDATE SKIP LOCKED',
  'INTO @x',
  "INTO OUTFILE 'fuzz_out'",
  "INTO DUMPFILE 'fuzz_out'",
  'UNION SELECT w(1)',
  'UNION (SELECT id FROM t FOR UPDATE)',
  'UNION SELECT 1 INTO @x',
  "UNION SELECT 1 INTO OUTFILE 'fuzz_out'",
  '; SELECT w(1)',
  '; DELETE FROM t',
  '; COMMIT',
  '; TRUNCATE TABLE log',
  'PROCEDURE ANALYSE()',
  'LIMIT 1 FOR UPDATE',
] as const;

/** In the place of a value. */
const values = [
  'w(1)',
  'w(1)',
  'w (1)',
  'w/**/(1)',
  'W\n(1)',
  '`w`(1)',
  '"w"(1)',
  'test.w(1)',
  'test . w (1)',
  '`test`.`w`(1)',
  '{fn w(1)}',
  'now ()',
  'now/**/()',
  '`now`()',
  'test.now()',
  'count (1)',
  'max (1)',
  'substring (1)',
  'cast (1)',
  'trim (1)',
  'date_add (1)',
  '`upper`(1)',
  'test.upper(1)',
  '`if`(1)',
  'test . upper(1)',
  'w(id)',
  'w (`n`)',
  'upper\u00a0(1)',
  'upper\u2028(1)',
  'upper\ufeff(1)',
  '2upper(1)',
  '0X1(1)',
  'lateral (1)',
  'over (1)',
  'cube (1)',
  'of (1)',
  'columns (1)',
  "'a' columns (1)",
  'against (1)',
  'match(s) against (1)',
  'json_table (1)',
  "TRIM('a' FROM json_table(2))",
  'values (1)',
  'POINT(1)',
  'point ((1))',
  'POINT((1))',
  'POLYGON()',
  '@a := 1',
  '@a',
  '@`a`',
  "@'a'",
  '@ a',
  '@a:=id',
  '@@pseudo_thread_id',
  '@@last_insert_id',
  '@@sort_buffer_size',
  'CURRENT_USER',
  'CURRENT_USER()',
  'USER()',
  'CONNECTION_ID()',
  "GET_LOCK('l', 0)",
  "get_lock('l',0)",
  'LAST_INSERT_ID(5)',
  'LAST_INSERT_ID()',
  'FOUND_ROWS()',
  'ROW_COUNT()',
  '(SELECT id FROM t WHERE id = 1 FOR UPDATE)',
  '(SELECT id FROM t WHERE id = 1 LOCK IN SHARE MODE)',
  'SUBSTRING((SELECT id FROM t WHERE id = 1 FOR UPDATE) FROM 1 FOR 2)',
  "EXTRACTVALUE('<a><b>1</b><b>2</b></a>', '//b[$@i]')",
  "EXTRACTVALUE('<a><b>1</b><b>2</b></a>', '//b' '[$@i]')",
  "extractvalue (CONCAT('<b>1</b>', '<b>2</b>'), '//b[$ @i]')",
  "EXTRACTVALUE('<b>1</b><b>2</b>', CONCAT('//b[$', '@i]'))",
  "UPDATEXML('<a><b>1</b><b>2</b></a>', '//b[$@i]', 'x')",
  'NEXTVAL(q)',
  'NEXT VALUE FOR q',
  'next/**/value for `q`',
  'q.nextval',
  'q . `nextval`',
  'LASTVAL(q)',
  'PREVIOUS VALUE FOR q',
  'SETVAL(q, 900)',
] as const;

/** Behind SELECT. */
const hints = [
  '/*+ SET_VAR(timestamp = 5) */ NOW(),',
  '/*+SET_VAR(timestamp=5)*/',
  '/*+ NO_ICP(t) set_var (timestamp = 5) */',
  'SQL_CALC_FOUND_ROWS',
] as const;

type Disguise = (hazard: string) => string;

/** Numbers: where does one end? */
const numbers: readonly Disguise[] = [
  (h) => `1e1${h}`,
  (h) => `1.${h}`,
  (h) => `.5${h}`,
  (h) => `1.e0${h}`,
  (h) => `1.5E-3${h}`,
  (h) => `0x1${h}`,
  (h) => `0b1${h}`,
  (h) => `1${h}`,
  (h) => `1e${h}`,
  (h) => `1e+${h}`,
  (h) => `0X1${h}`,
  (h) => `x'41'${h}`,
  (h) => `0x41 ${h}`,
  (h) => `1.5.${h}`,
];

/** Comments: where does one begin and end, and is it one? */
const comments: readonly Disguise[] = [
  (h) => `--${h}`,
  (h) => `--\u00a0${h}`,
  (h) => `--\u0001${h}`,
  (h) => `--\u007f${h}`,
  (h) => `-- x\n${h}`,
  (h) => `-- x\r${h}`,
  (h) => `--\n${h}`,
  (h) => `-- ${h}\n`,
  (h) => `# x\n${h}`,
  (h) => `# x\r${h}`,
  (h) => `#${h}\n`,
  (h) => `# x\u2028${h}`,
  (h) => `-- '\n${h} -- '`,
  (h) => `-- \r'\n${h} -- '`,
  (h) => `# \r'\n${h} # '`,
  (h) => `/*/ ' */ ${h} -- '`,
  (h) => `-- /*\n${h} -- */`,
  (h) => `# '\n${h} # '`,
  (h) => `# "\n${h} # "`,
  (h) => `# /*\n${h} # */`,
  (h) => `/* ' */ ${h} /* ' */`,
  (h) => `/* " */ ${h} /* " */`,
  (h) => `/* -- */ ${h}`,
  (h) => `/* # */ ${h}`,
  (h) => `/* ${h} */`,
  (h) => `/**/${h}`,
  (h) => `/*/ */ ${h} /* */`,
  (h) => `/* /* */ ${h} -- */`,
  (h) => `/* /* */ ${h} /* */ */`,
  (h) => `/* x */ ${h} /* y */`,
  (h) => `/*!${h}*/`,
  (h) => `/*! ${h} */`,
  (h) => `/*!50000 ${h} */`,
  (h) => `/*!50000${h}*/`,
  (h) => `/*!050000 ${h} */`,
  (h) => `/*!99999 x */ ${h}`,
  (h) => `/*!99999 ' */ ${h} /* ' */`,
  (h) => `/*!999999 ${h} */`,
  (h) => `/*!50701 ${h} */`,
  (h) => `/*!100100 ${h} */`,
  (h) => `/*M! ${h} */`,
  (h) => `/*M!100100 ${h} */`,
  (h) => `/*M!50000${h}*/`,
  (h) => `/*m! ${h} */`,
  (h) => `/*!${h} /* x */ */`,
  (h) => `/*! /* x */ ${h} */`,
  (h) => `/*!99999 /* x */ ${h} -- */`,
  (h) => `/*M!999999 /* x */ ${h} -- */`,
  (h) => `/*!99999 '*/ ${h} -- '*/`,
  (h) => `/*M! '*/ ${h} -- '*/`,
  (h) => `/*! '*/' */ ${h}`,
  (h) => `/*+ ${h} */`,
  (h) => `/*+ QB_NAME(\`a*/ ${h} -- \`) */`,
  (h) => `/ * ${h} * /`,
];

/** Quotes: where does one begin and end, and is it a name or a string? */
const quotes: readonly Disguise[] = [
  (h) => `'a\\' ${h} -- '`,
  (h) => `'a\\', ' ${h} -- '`,
  (h) => `'a\\', ', ${h} -- '`,
  (h) => `1 AS \`a\\\`, ${h} -- \``,
  (h) => `1 AS ['], ${h} -- '`,
  (h) => `'a\\' ${h} # '`,
  (h) => `'a\\', ${h}, '`,
  (h) => `'a\\' ${h} /* ' */`,
  (h) => `'a\\\\' ${h} -- '`,
  (h) => `'a\\\\', ${h}, ' '`,
  (h) => `"a\\" ${h} -- "`,
  (h) => `"a\\", ${h}, "`,
  (h) => `"a\\\\" ${h} -- "`,
  (h) => `\`a\\\` ${h} -- \``,
  (h) => `'a'' ${h} -- '`,
  (h) => `"a"" ${h} -- "`,
  (h) => `\`a\`\` ${h} -- \``,
  (h) => `'a' ${h}`,
  (h) => `'a'${h}`,
  (h) => `"a"${h}`,
  (h) => `\`id\`${h}`,
  (h) => `'"' ${h} -- "`,
  (h) => `"'" ${h} -- '`,
  (h) => `"'", ${h}, "'"`,
  (h) => `'"', ${h}, '"'`,
  (h) => `"\`" ${h} -- \``,
  (h) => `'\`', ${h}, '\`'`,
  (h) => `'/*' ${h} -- '*/'`,
  (h) => `'/*', ${h}, '*/'`,
  (h) => `'--', ${h}`,
  (h) => `'#', ${h}`,
  (h) => `"#", ${h}`,
  (h) => `"-- ", ${h}`,
  (h) => `'${h}'`,
  (h) => `"${h}"`,
  (h) => `\`${h}\``,
  (h) => `N'a'${h}`,
  (h) => `_utf8mb4'a'${h}`,
  (h) => `_latin1 'a\\', ${h}, '`,
  (h) => `$$ ${h} $$`,
  (h) => `$a$ ${h} $a$`,
  (h) => `$$ ' $$ ${h} -- '`,
  (h) => `[${h}]`,
  (h) => `['] ${h} -- '`,
  (h) => `q'[${h}]'`,
];

/** White space, and what is none. */
const spaces: readonly Disguise[] = [
  (h) => h.replaceAll(' ', '\u00a0'),
  (h) => h.replaceAll(' ', '\u2028'),
  (h) => h.replaceAll(' ', '\u3000'),
  (h) => h.replaceAll(' ', '\v'),
  (h) => h.replaceAll(' ', '\f'),
  (h) => h.replaceAll(' ', '\r'),
  (h) => h.replaceAll(' ', '\t\n'),
  (h) => h.replaceAll(' ', '/**/'),
  (h) => h.replaceAll(' ', '/*!*/'),
  (h) => h.replaceAll(' ', '-- \n'),
  (h) => h.replaceAll(' ', '#\n'),
  (h) => h.replaceAll(' ', '\0'),
  (h) => h.replaceAll('(', '\u00a0('),
  (h) => h.replaceAll('(', '\ufeff('),
  (h) => `\u00a0${h}`,
  (h) => `\ufeff${h}`,
  (h) => `\0 ${h}`,
  (h) => `\u001a ${h}`,
  (h) => `;${h}`,
  (h) => `a ${h}`,
  (h) => `a@${h}`,
  (h) => `a.${h}`,
  (h) => `t.${h}`,
  (h) => `a . ${h}`,
  (h) => `(${h})`,
  (h) => `\\N${h}`,
  (h) => `é${h}`,
];

const kinds = [numbers, comments, quotes, spaces] as const;

const upper = (h: string): string => h.toUpperCase();
const lower = (h: string): string => h.toLowerCase();

function dress(random: Random, hazard: string): string {
  let dressed = hazard;
  if (random.chance(0.3)) dressed = random.chance(0.5) ? upper(hazard) : lower(hazard);
  if (random.chance(0.75)) dressed = random.pick(random.pick<readonly Disguise[]>(kinds))(dressed);
  if (random.chance(0.1)) dressed = random.pick(random.pick<readonly Disguise[]>(kinds))(dressed);
  return dressed;
}

/** What a value stands behind, at the end of a query. */
const beforeValue = [
  'WHERE n =',
  'WHERE',
  'AND 1 =',
  '= n +',
  'HAVING',
  'ORDER BY',
  'LIMIT',
] as const;

export function hazardousTail(random: Random): string {
  if (random.chance(0.3)) return dress(random, `, ${random.pick(values)}`);
  if (random.chance(0.6)) return dress(random, random.pick(tails));
  const value = random.pick(random.pick<readonly Disguise[]>([numbers, numbers, quotes, spaces]));
  return `${random.pick(beforeValue)} ${value(random.pick(tails))}`;
}

export function hazardousValue(random: Random): string {
  return random.chance(0.85)
    ? dress(random, random.pick(values))
    : dress(random, `FROM t ${random.pick(tails)}`);
}

export function hazardousHint(random: Random): string {
  return random.chance(0.5) ? random.pick(hints) : dress(random, random.pick(hints));
}

/** A short read around a hazard: the fewer tokens there are, the less is wrong with it. */
export function hazardousRead(random: Random): string {
  const value = dress(random, random.pick(values));
  switch (random.below(5)) {
    case 0:
      return `SELECT id FROM t ${hazardousTail(random)}`;
    case 1:
      return `SELECT 1 ${hazardousTail(random)}`;
    case 2:
      return `SELECT ${value} FROM t`;
    case 3:
      return `SELECT id FROM t WHERE ${value}`;
    default:
      return `SELECT ${value}`;
  }
}
