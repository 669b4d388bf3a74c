/**
 * Has real servers run texts that the classifier lets go to a replica, and looks for effects:
 *
 *     npm run test:fuzz -- [--flavor mysql|mariadb] [--seconds n] [--seed n]
 *
 * Exit code 1 if one had an effect; the text is shrunk first.
 */
import { parseArgs } from 'node:util';
import { lexerOf } from '../../test/proofs/classifier.ts';
import { type Figures, fuzz } from '../../test/proofs/fuzz.ts';
import { shrink } from '../../test/proofs/shrink.ts';
import { Stage } from '../../test/proofs/stage.ts';
import { type Flavor, flavors } from '../../test/support/servers/flavor.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});

const chosen = flavors.filter((flavor) => values.flavor === undefined || values.flavor === flavor);
if (chosen.length === 0) throw new Error(`--flavor is one of ${flavors.join(', ')}`);

for (const flavor of chosen) {
  await using stage = await Stage.open(flavor);
  const end = performance.now() + Number(values.seconds) * 1000;
  const isSafe = await lexerOf(flavor);
  const figures = await fuzz({
    stage,
    seed: Number(values.seed),
    isSafe,
    isEnough: ({ findings }) => performance.now() > end || findings.length >= 10,
  });
  await report(flavor, stage, figures);
}

async function report(flavor: Flavor, stage: Stage, figures: Figures): Promise<void> {
  const { generated, accepted, executed, refused, findings } = figures;
  console.log(
    `${flavor}, seed ${values.seed}: ${generated} texts, ${accepted} said to be safe, ` +
      `${executed} of them executed, ${refused} refused by the server; ${findings.length} with an effect`,
  );
  const isSafe = await lexerOf(flavor);
  for (const { sql, sqlMode, signals } of findings) {
    process.exitCode = 1;
    const smallest = await shrink(
      sql,
      async (text) => isSafe(text) && (await stage.judge(text, sqlMode)).length > 0,
    );
    console.log(`sql_mode '${sqlMode}': ${signals.join(', ')}\n  ${JSON.stringify(sql)}`);
    console.log(`  ${JSON.stringify(smallest)}`);
  }
}
