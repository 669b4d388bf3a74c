import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from './measure.ts';

/** What a fresh process pays for a module. */
export interface StartCost {
  /** Milliseconds of CPU time from the start of its import to its end. */
  readonly time: number;
  /** KiB of heap in use afterwards, and after a collection. */
  readonly heap: number;
}

const dist = new URL('../../packages/core/dist/', import.meta.url);

/** Whether there is a build of the core to measure; its sources would be compiled as they load. */
export function isBuilt(): boolean {
  return existsSync(new URL('index.js', dist));
}

const classifier = `const { createClassifier } = await import('${new URL('statement/classifier.js', dist).href}');`;
const steps: Readonly<Record<string, string>> = {
  'the whole core, with mysql2': `await import('${new URL('index.js', dist).href}');`,
  'the classifier alone': classifier,
  '… and made': `${classifier} globalThis.kept = createClassifier({ dialect: 'mysql' });`,
  '… and its parser loaded':
    `${classifier} globalThis.kept = createClassifier({ dialect: 'mysql' });` +
    "kept.classify('SELECT 1');",
};

/** Medians over several processes, by what they do. */
export function startCosts(processes: number): [what: string, cost: StartCost][] {
  return Object.entries(steps).map(([what, code]) => {
    const costs = Array.from({ length: processes }, () => measure(code));
    const time = median(costs.map((cost) => cost.time));
    return [what, { time, heap: median(costs.map((cost) => cost.heap)) }];
  });
}

function measure(code: string): StartCost {
  const script =
    'gc(); const heap = process.memoryUsage().heapUsed; const before = process.cpuUsage();' +
    `${code} const { user, system } = process.cpuUsage(before); gc();` +
    'console.log(JSON.stringify({ time: (user + system) / 1000,' +
    ' heap: (process.memoryUsage().heapUsed - heap) / 1024 }));';
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', '--input-type=module', '--eval', script],
    { encoding: 'utf8', cwd: fileURLToPath(dist) },
  );
  return JSON.parse(output) as StartCost;
}
