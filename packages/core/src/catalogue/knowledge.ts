import { foldName } from '../statement/table-names.ts';
import type { UnsafeTable } from './judge-tables.ts';

/** What one reading of the catalogue found. */
export interface Findings {
  readonly tables: readonly UnsafeTable[];
  /** Functions that a call without a database reaches in the place of a built-in one. */
  readonly shadowing: readonly string[];
  /** Stored functions that are declared pure, as `db.f`. */
  readonly declaredPure: readonly string[];
  /** All others, as `db.f`. */
  readonly otherFunctions: readonly string[];
}

/** Names that a rule is against: of the last reading, and of those before it. */
interface Names {
  readonly now: ReadonlySet<string>;
  /** By name: for how many more timed readings it still counts. */
  readonly former: ReadonlyMap<string, number>;
}

/** What is known after some readings. */
export interface Knowledge {
  readonly findings: Findings;
  readonly tables: Names;
  readonly shadowing: Names;
  readonly otherFunctions: Names;
}

const noNames: Names = { now: new Set(), former: new Map() };

/** How a reading came about. */
interface Circumstance {
  /** Whether it was made because its time had come, and not for a change just seen. */
  readonly isTimed: boolean;
  /** Whether nothing is missing in it. */
  readonly isWhole: boolean;
}

/** Before the first reading. */
export const nothingKnown: Knowledge = {
  findings: { tables: [], shadowing: [], declaredPure: [], otherFunctions: [] },
  tables: noNames,
  shadowing: noNames,
  otherFunctions: noNames,
};

/**
 * Adds a reading. A replica that lags still has what the primary had before, so that a name whose
 * definition has become harmless, or is gone, counts as before for a while: until the second timed
 * reading after this one, which leaves at least one whole interval between.
 *
 * What a reading could not read is as before.
 */
export function learned(before: Knowledge, found: Findings, how: Circumstance): Knowledge {
  const findings = how.isWhole ? found : together(before.findings, found);
  const { tables, shadowing, otherFunctions } = findings;
  const isTimed = how.isTimed && how.isWhole;
  const add = (names: Names, found: readonly string[]) => namesAfter(names, found, isTimed);
  return {
    findings,
    tables: add(
      before.tables,
      tables.map(({ name }) => name),
    ),
    shadowing: add(before.shadowing, shadowing),
    otherFunctions: add(before.otherFunctions, otherFunctions),
  };
}

function together(before: Findings, found: Findings): Findings {
  const names = new Set(found.tables.map(({ name }) => foldName(name)));
  return {
    tables: [...found.tables, ...before.tables.filter(({ name }) => !names.has(foldName(name)))],
    shadowing: [...new Set([...before.shadowing, ...found.shadowing])],
    declaredPure: found.declaredPure,
    otherFunctions: [...new Set([...before.otherFunctions, ...found.otherFunctions])],
  };
}

const readingsKept = 2;

function namesAfter(before: Names, found: readonly string[], isTimed: boolean): Names {
  const now = new Set(found.map(foldName));
  const kept = [...before.former]
    .map(([name, readings]): [string, number] => [name, isTimed ? readings - 1 : readings])
    .filter(([name, readings]) => readings > 0 && !now.has(name));
  const gone = [...before.now].filter((name) => !now.has(name));
  return { now, former: new Map([...kept, ...gone.map((name) => [name, readingsKept] as const)]) };
}

/** Every table that is unsafe, or was. */
export function unsafeTables({ findings, tables }: Knowledge): UnsafeTable[] {
  const former = [...tables.former.keys()].map(
    (name): UnsafeTable => ({ name, reason: 'former', word: null }),
  );
  return [...findings.tables, ...former];
}

/** Every function that stands, or stood, in the place of a built-in one. */
export function shadowingFunctions({ shadowing }: Knowledge): string[] {
  return [...shadowing.now, ...shadowing.former.keys()];
}

/** `db.f` of the functions that are declared pure, and were never seen without that. */
export function declaredPure({ findings, otherFunctions }: Knowledge): string[] {
  return findings.declaredPure.filter((name) => !otherFunctions.former.has(foldName(name)));
}
