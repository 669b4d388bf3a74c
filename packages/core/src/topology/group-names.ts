import type { GroupView, Member } from './group-view.ts';
import type { Address } from './topology.ts';

/** Which addresses have been asked, and who answered there. */
export interface Places {
  readonly round: ReadonlyMap<Address, GroupView | null>;
  /** By `server_uuid`. */
  readonly heard: ReadonlyMap<string, readonly Address[]>;
  /** The primary until now. */
  readonly primary: Address | null;
}

/**
 * The address of a member. Without `report_host` a server goes by its own host name, which clients may
 * not know: an address it has answered at is as good, and known to be reachable. Where it answers at
 * both, the group's name for it is the one that does not move.
 */
export function nameOf({ id, address }: Member, { heard, primary }: Places): Address {
  const names = heard.get(id) ?? [address];
  const [first = address] = names;
  if (names.includes(address)) {
    return address;
  }
  return primary !== null && names.includes(primary) ? primary : first;
}

/**
 * Where the members of these views are. A host that gave no answer may be a member that was not heard
 * of otherwise, under a name of the configuration: it stays, until that member is found elsewhere.
 */
export function membersOf(views: readonly GroupView[], places: Places): Address[] {
  const { round, heard } = places;
  const names = new Set<Address>();
  let isOneMissing = false;
  for (const member of views.flatMap(({ members }) => members)) {
    const name = nameOf(member, places);
    if (heard.has(member.id)) {
      names.add(name);
    } else if (round.get(name) === null) {
      names.add(name);
    } else {
      isOneMissing = true;
      // Somebody else answers there: it is the name of two, as `localhost` may be.
      if (!round.has(name)) {
        names.add(name);
      }
    }
  }
  const silent = [...round].filter(([, said]) => said === null).map(([address]) => address);
  return [...names, ...(isOneMissing ? silent : [])].filter(isFirst).sort();
}

function isFirst(address: Address, index: number, all: readonly Address[]): boolean {
  return all.indexOf(address) === index;
}
