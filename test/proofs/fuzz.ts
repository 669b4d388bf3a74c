import type { IsSafe } from './classifier.ts';
import { Random } from './random.ts';
import { type Finding, type Stage, sqlModes } from './stage.ts';
import { Texts } from './texts.ts';

export interface FuzzOptions {
  readonly stage: Stage;
  readonly seed: number;
  readonly isSafe: IsSafe;
  /** Texts that are not tried although they are said to be safe. Default: none. */
  readonly skip?: IsSafe;
  /** How many of the texts have a hazard in them, mostly a hidden one. Default: 0.45. */
  readonly danger?: number;
  /** Texts that are tried together. Default: 100. */
  readonly batchSize?: number;
  /** Asked after each batch whether that was enough. */
  readonly isEnough: (figures: Readonly<Figures>) => boolean;
}

/** What a fuzz has done. */
export interface Figures {
  /** Texts made. */
  generated: number;
  /** Distinct ones of them that were said to be safe. */
  accepted: number;
  /** Of these, what the server ran. */
  executed: number;
  /** Of these, what the server did not understand. */
  refused: number;
  readonly findings: Finding[];
}

/** Texts made in a row without a full batch, before the batch is run as it is. */
const longestWait = 10_000;

/** Makes texts and has the server try those that are said to be safe, in each sql_mode in turn. */
export async function fuzz(options: FuzzOptions): Promise<Figures> {
  const { stage, isEnough } = options;
  const modes = sqlModes[stage.flavor];
  const figures: Figures = { generated: 0, accepted: 0, executed: 0, refused: 0, findings: [] };
  const source = acceptedTexts(options, figures);
  for (let round = 0; !isEnough(figures); round++) {
    const batch = nextBatch(source, options.batchSize ?? 100, figures);
    const { executed, refused, findings } = await stage
      .try(batch, modes[round % modes.length] as string)
      .catch((cause: unknown) => {
        // Servers have bugs: what ends one is worth knowing.
        throw new Error(`the server did not survive one of these:\n${batch.join('\n')}`, { cause });
      });
    figures.executed += executed;
    figures.refused += refused;
    figures.findings.push(...findings);
  }
  return figures;
}

function nextBatch(source: Iterator<string | null>, batchSize: number, figures: Figures): string[] {
  const batch: string[] = [];
  const last = figures.generated + longestWait;
  while (batch.length < batchSize && figures.generated < last) {
    const text = source.next().value;
    if (text !== null) batch.push(text);
  }
  return batch;
}

/** The texts that are to be tried, and `null` for each of the others. */
function* acceptedTexts(
  { seed, danger, isSafe, skip = () => false }: FuzzOptions,
  figures: Figures,
): Generator<string | null, null> {
  const texts = new Texts(new Random(seed), danger);
  const seen = new Set<string>();
  for (;;) {
    const text = texts.next();
    figures.generated++;
    if (seen.has(text) || !isSafe(text) || skip(text)) {
      yield null;
      continue;
    }
    seen.add(text);
    if (seen.size > 200_000) seen.clear();
    figures.accepted++;
    yield text;
  }
}
