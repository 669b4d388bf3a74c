/*
 * In place of `memo.ts`: what one mutant has said is not what the next one says.
 */

export class DecisionTable {
  readonly count = 0;
  readonly characters = 0;

  get(): undefined {
    return undefined;
  }

  note(): void {}
}

export class VerdictTable {
  readonly count = 0;

  get(): number {
    return 0;
  }

  set(): void {}
}
