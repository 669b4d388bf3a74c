import { TextJudge } from '../../packages/core/src/statement/judge.ts';
import { Vocabulary } from '../../packages/core/src/statement/vocabulary.ts';
import { climb, type Landscape, Random } from './climb.ts';
import { cpu, median } from './measure.ts';
import { filled, mebibyte } from './texts.ts';

/*
 * A search for the text that takes the lexer and its judge longest per character: fragments one
 * behind the other, again and again up to 64 KiB; the worst ones then at 1 MiB.
 */

const fragments: readonly string[] = [
  ...' \n\t\0!"#$%&\'()*+,-./0123456789:;<=>?@AXabxe[\\]^_`{|}~\u007f\u0080\u00a1é数',
  ..."-- |--|/*|*/|/**/|/*!|/*!50000|/*+|/*M!|''|\\'|'a'|\"a\"|\"\\\"\"|`a`|``|??|:a|:=|@a|@@|1.5|1e1|.5|0x1f|0b1|x'41'|N'a'|\\N".split(
    '|',
  ),
  ...'SELECT |FROM |FOR |FOR UPDATE |VALUES |VALUES(a)|WITH |AS (|AS |a AS (|(a, |(a) AS (|SUBSTRING(|ABS(|abs |f(|EXTRACTVALUE(|,EXTRACTVALUE(a,|POINT(|JSON_TABLE(|COLUMNS(|OVER(|LATERAL(|mysql.|mysql |nextval |.nextval |INTO |SET |CURRENT_USER |knex_migrations |route:primary|/*route:primary*/|NO_ICP(t) |SET_VAR( |; |INSERT INTO |BEGIN;|CREATE |UNION |ROW('.split(
    '|',
  ),
];
const starts = [
  'SELECT ',
  'SELECT 1',
  "SELECT '",
  'SELECT "',
  'SELECT /*+ ',
  'WITH a ',
  'SET @a = ',
  'INSERT INTO t VALUES ',
  'EXPLAIN ',
  'SELECT ABS(',
  'CREATE VIEW v AS ',
  '',
];
const ends = ['', ')', "'", '"', '*/ 1', ' FROM t'];

interface Shape {
  readonly start: string;
  readonly parts: readonly string[];
  readonly end: string;
}

const SIZE = 65_536;
const MAX_PARTS = 6;

/** A text that was found, and its times. */
export interface WorstLexing {
  readonly text: string;
  /** Milliseconds for 1 MiB. */
  readonly time: number;
  /** Time per character at 1 MiB, divided by that at 64 KiB: 1 if it is linear. */
  readonly growth: number;
}

/** The worst texts found, the worst first. */
export function findWorstLexing(seed: number, hills: number, steps: number): WorstLexing[] {
  const judge = new TextJudge(new Vocabulary({ dialect: 'mysql' }));
  const random = new Random(seed);
  const from = Array.from({ length: hills }, () => randomShape(random));
  const found = climb(landscape(judge, random), from, steps);
  return found
    .slice(0, 4)
    .map(({ what }) => {
      const part = what.parts.join('');
      const at = (size: number) => filled(what.start, part, what.end, size);
      const time = timeOf(judge, at(mebibyte)) / 1000;
      const small = median(Array.from({ length: 9 }, () => timeOf(judge, at(SIZE)) / 1000));
      const growth = time / mebibyte / (small / SIZE);
      return { text: `${what.start}${part} … ${what.end}`, time, growth };
    })
    .sort((a, b) => b.time - a.time);
}

/** Median CPU time of a few runs, in µs. */
function timeOf(judge: TextJudge, text: string): number {
  const copy = flat(text);
  return median(Array.from({ length: 5 }, () => cpu(() => void judge.judge(copy))));
}

function randomShape(random: Random): Shape {
  const parts = Array.from({ length: 1 + random.below(3) }, () => random.pick(fragments));
  return { start: random.pick(starts), parts, end: random.pick(ends) };
}

function landscape(judge: TextJudge, random: Random): Landscape<Shape> {
  return {
    mutate: (of) => mutate(of, random),
    score(of) {
      const text = flat(filled(of.start, of.parts.join(''), of.end, SIZE));
      let least = Number.POSITIVE_INFINITY;
      for (let run = 0; run < 3; run++) {
        least = Math.min(
          least,
          cpu(() => void judge.judge(text)),
        );
      }
      return least / text.length;
    },
  };
}

/** A string in one piece: what `repeat` makes is put together when it is first read. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function mutate(of: Shape, random: Random): Shape {
  const parts = [...of.parts];
  const at = random.below(parts.length);
  switch (random.below(6)) {
    case 0:
      return { ...of, start: random.pick(starts) };
    case 1:
      return { ...of, end: random.pick(ends) };
    case 2:
      if (parts.length > 1) parts.splice(at, 1);
      break;
    case 3:
      parts[at] = random.pick(fragments);
      break;
    default:
      if (parts.length < MAX_PARTS) parts.splice(at, 0, random.pick(fragments));
  }
  return { ...of, parts };
}
