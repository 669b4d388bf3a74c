import { describe, expect, it } from 'vitest';
import {
  type ClassifierOptions,
  createClassifier,
} from '../../../packages/core/src/statement/classifier.ts';
import { versionNumber } from '../../../packages/core/src/statement/functions/table.ts';

/** Whether a call of the function, that touches its parenthesis, may run on a replica. */
function isPure(name: string, options: ClassifierOptions): boolean {
  const { reason } = createClassifier(options).classify(`SELECT ${name}(a) FROM t`);
  if (reason !== null) expect(reason, name).toBe('unknown-function');
  return reason === null;
}

describe('a version number', () => {
  it.each([
    ['9.7.4', 90704],
    ['8.0.21', 80021],
    ['5.7.44-log', 50744],
    ['10.11.18-MariaDB-1:10.11.18+maria~deb12', 101118],
    ['11.8', 110800],
    ['nonsense', 0],
  ])('of %s is %i', (dotted, number) => {
    expect(versionNumber(dotted)).toBe(number);
  });
});
