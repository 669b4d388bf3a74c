import { Script } from 'node:vm';
import { mariadbFunctions } from '../../packages/core/src/statement/functions/mariadb.ts';
import { mysqlFunctions } from '../../packages/core/src/statement/functions/mysql.ts';
import { TextJudge } from '../../packages/core/src/statement/judge.ts';
import { ParserVeto } from '../../packages/core/src/statement/veto.ts';
import { Vocabulary } from '../../packages/core/src/statement/vocabulary.ts';
import { climb, type Found, type Landscape, Random } from './climb.ts';

/*
 * A search for the text under the veto's guard that takes node-sql-parser longest: first every form
 * and function nested in itself, then from the worst of these on, forms nested in each other and
 * beside each other. All are texts that the lexer finds safe.
 */

/** What stands around the next level; `;` between the two halves. */
const forms: readonly string[] = [
  ...'(;)|((;))|CAST(; AS CHAR)|CONVERT(;, CHAR)|ABS(;)|IF(;, 1, 2)|COALESCE(a, ;)|CONCAT(;)|SUM(;) OVER ()|COUNT(DISTINCT ;)'.split(
    '|',
  ),
  ...'CASE WHEN (;) THEN 1 END|TRIM(; FROM a)|CASE WHEN ; THEN 1 END|CASE a WHEN ; THEN ; ELSE ; END|NOT ;|-;|!;|~;|; IS NULL|; IS NOT NULL|; IN (1)|1 IN (;)|; BETWEEN ; AND ;|; LIKE ;|EXISTS (SELECT ;)|(SELECT ;)|(SELECT a FROM t WHERE ;)|(SELECT a FROM t WHERE ; IN (SELECT ;))'.split(
    '|',
  ),
  ...'; AND ;#; OR ;#; || ;#; + ;#; * ;#; = ;#; <=> ;#;, ;#;->"$.a"#; COLLATE utf8mb4_bin#INTERVAL ; DAY + ;#DATE_ADD(;, INTERVAL 1 DAY)#EXTRACT(DAY FROM ;)#SUBSTRING(; FROM 1)#TRIM(;)#; DIV ;#; MOD ;#; XOR ;'.split(
    '#',
  ),
  ...'; # x\n|/* a */ ;| ;  |\n;|`a`.;|t.;|1.;|;.5|'.split('|').filter((form) => form !== ''),
];
const leaves = "a#1#'x'#`a`#t.a#NULL#?#1.5e3#*#a b#a AS b#now()#?->'$.a'#x'41'#TRUE#\"x\"".split(
  '#',
);
/** The text around all; `;` is where the forms go. */
const frames: readonly string[] = [
  'SELECT ;',
  'SELECT ; FROM t',
  'SELECT a FROM t WHERE ;',
  'SELECT a FROM t GROUP BY ; HAVING ;',
  'SELECT a FROM t ORDER BY ; LIMIT 1',
  'SELECT a FROM t JOIN u ON ; LEFT JOIN v ON ;',
  'SELECT a FROM (t JOIN u ON ;)',
  'SELECT a FROM ((t JOIN u) JOIN v) JOIN w ON ;',
  'SELECT a FROM (SELECT ; FROM t) d',
  'WITH c AS (SELECT ;) SELECT a FROM c',
  'SELECT ; UNION SELECT ;',
  '(SELECT ;) UNION ALL (SELECT ;)',
  'SELECT a FROM t WHERE a IN (;)',
  'SELECT a, ; FROM t, u, v WHERE a = ;',
];

interface Shape {
  readonly frame: string;
  /** From the outside in; each so often. */
  readonly levels: readonly (readonly [form: string, times: number])[];
  readonly leaf: string;
}

/** Characters for all that goes into a frame, most of which have one place for it. */
const ROOM = 4000;
/** A text that takes longer is not measured to its end. */
const LIMIT_MS = 2000;

/** A text that was found. */
export interface WorstParsing {
  readonly text: string;
  /** Milliseconds of CPU time, the least of three runs. */
  readonly time: number;
}

/** The worst texts found, the worst first. */
export function findWorstParsing(
  dialect: 'mysql' | 'mariadb',
  seed: number,
  hills: number,
  steps: number,
): WorstParsing[] {
  const stopwatch = new Stopwatch(dialect);
  const from = worstNests(dialect, stopwatch).slice(0, hills);
  const found = climb(landscape(stopwatch, new Random(seed)), from, steps);
  return found.slice(0, 4).map(({ what }: Found<Shape>) => {
    const text = textOf(what);
    const times = Array.from({ length: 3 }, () => stopwatch.time(text));
    return { text, time: Math.min(...times) };
  });
}

class Stopwatch {
  readonly #judge: TextJudge;
  readonly #dialect: 'mysql' | 'mariadb';
  readonly #script = new Script('runWithLimit()');

  constructor(dialect: 'mysql' | 'mariadb') {
    this.#dialect = dialect;
    this.#judge = new TextJudge(new Vocabulary({ dialect }));
    this.time('SELECT a FROM t');
  }

  /** Milliseconds of CPU time that the veto takes for a text it has not seen; 0 if it would not be asked. */
  time(text: string): number {
    if (this.#judge.judge(text).reason !== null) return 0;
    const veto = new ParserVeto(this.#dialect);
    const { tokens } = this.#judge;
    Object.assign(globalThis, { runWithLimit: () => veto.judge(tokens) });
    const before = process.cpuUsage();
    try {
      this.#script.runInThisContext({ timeout: LIMIT_MS });
    } catch {
      return LIMIT_MS;
    }
    return process.cpuUsage(before).user / 1000;
  }
}

function textOf({ frame, levels, leaf }: Shape): string {
  let inner = leaf;
  for (const [form, times] of levels.toReversed()) {
    for (let time = 0; time < times; time++) {
      const next = form.replaceAll(';', () => inner);
      if (next.length > ROOM) break;
      inner = next;
    }
  }
  return frame.replaceAll(';', () => inner);
}

/** Each form, and each pure function, in itself around each leaf that is hard: the worst first. */
function worstNests(dialect: 'mysql' | 'mariadb', stopwatch: Stopwatch): Shape[] {
  const { pure, touching } = dialect === 'mysql' ? mysqlFunctions : mariadbFunctions;
  const calls = `${pure} ${touching}`.split(' ').map((name) => `${name}(;)`);
  const nests = [...forms, ...calls].flatMap((form) =>
    [3, 5, 7].flatMap((times) =>
      ['a', '?->"$.a"', 'a b'].map(
        (leaf): Shape => ({ frame: 'SELECT ; FROM t', levels: [[form, times]], leaf }),
      ),
    ),
  );
  const timed = nests.map((shape) => ({ shape, time: stopwatch.time(textOf(shape)) }));
  return timed.sort((a, b) => b.time - a.time).map(({ shape }) => shape);
}

function landscape(stopwatch: Stopwatch, random: Random): Landscape<Shape> {
  const level = (): [string, number] => [
    random.pick(forms),
    1 + random.below(random.below(60) + 1),
  ];
  return {
    mutate(of) {
      const levels = [...of.levels];
      const at = random.below(levels.length);
      const [form, times] = levels[at] ?? level();
      switch (random.below(7)) {
        case 0:
          return { ...of, frame: random.pick(frames) };
        case 1:
          return { ...of, leaf: random.pick(leaves) };
        case 2:
          if (levels.length > 1) levels.splice(at, 1);
          break;
        case 3:
          levels[at] = [form, Math.max(1, times + random.below(9) - 4)];
          break;
        case 4:
          levels[at] = [random.pick(forms), times];
          break;
        default:
          if (levels.length < 8) levels.splice(at, 0, level());
      }
      return { ...of, levels };
    },
    score: (of) => stopwatch.time(textOf(of)),
  };
}
