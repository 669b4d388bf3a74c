import type { Address, Findings } from './topology.ts';

/** An answer, and where it came from. */
export interface Answer<Said> {
  readonly address: Address;
  readonly said: Said;
}

/** The answers of a round, always in the same order, without the hosts that gave none. */
export function answersOf<Said>(round: ReadonlyMap<Address, Said | null>): Answer<Said>[] {
  const answers: Answer<Said>[] = [];
  for (const address of [...round.keys()].sort()) {
    const said = round.get(address) ?? null;
    if (said !== null) {
      answers.push({ address, said });
    }
  }
  return answers;
}

/** Each server, with the addresses it answered at: there may be several names for one server. */
export function placesOf<Said extends { readonly server: string }>(
  answers: readonly Answer<Said>[],
): Map<string, Address[]> {
  const places = new Map<string, Address[]>();
  for (const { address, said } of answers) {
    const known = places.get(said.server) ?? [];
    known.push(address);
    places.set(said.server, known);
  }
  return places;
}

/** Nobody who can be believed has answered: no role is known, and no host is given up for that. */
export function nothingFound(round: ReadonlyMap<Address, unknown>): Findings {
  return { writable: [], readable: [], members: [...round.keys()].sort(), lags: new Map() };
}
