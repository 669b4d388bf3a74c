import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupReplication } from '../../../packages/core/src/topology/group-replication.ts';
import type { GroupView, Member } from '../../../packages/core/src/topology/group-view.ts';

/** What the group agreed on at one time. */
interface Configuration {
  readonly members: readonly string[];
  readonly primary: string;
}

const servers = ['a', 'b', 'c', 'd', 'e'];
const addressOf = (id: string) => `${id}:3306`;

/**
 * A history as the protocol allows it: each change of the membership is agreed on by a majority of the
 * members before it. A change of the primary alone does not count as a view.
 */
const history: fc.Arbitrary<readonly Configuration[]> = fc
  .array(fc.tuple(fc.subarray(servers, { minLength: 1 }), fc.nat()), { minLength: 1, maxLength: 5 })
  .map((steps) => {
    const configurations: Configuration[] = [];
    for (const [wanted, pick] of steps) {
      const before = configurations.at(-1)?.members ?? wanted;
      const kept = before.filter((id) => wanted.includes(id));
      const members = kept.length * 2 > before.length ? wanted : before;
      const old = configurations.at(-1)?.primary ?? '';
      const [first = ''] = members;
      const elected = members[pick % members.length] ?? first;
      configurations.push({ members, primary: members.includes(old) ? old : elected });
    }
    return configurations;
  });

interface Glance {
  /** Which configuration the server has got to; it may be cut off since. */
  readonly at: number;
  readonly unreachable: readonly string[];
  readonly isReadOnly: boolean;
}

const glance: fc.Arbitrary<Glance> = fc.record({
  at: fc.nat(4),
  unreachable: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray(servers) },
  ),
  isReadOnly: fc.boolean(),
});

interface Past {
  readonly configurations: readonly Configuration[];
  /** What each server says when it is asked; `null`: nothing. */
  readonly glances: readonly (Glance | null)[];
  readonly primary: string | null;
}

const past: fc.Arbitrary<Past> = fc.record({
  configurations: history,
  glances: fc.array(fc.option(glance), { minLength: servers.length, maxLength: servers.length }),
  primary: fc.option(fc.constantFrom(...servers.map(addressOf))),
});

function look(
  server: string,
  configurations: readonly Configuration[],
  { at, unreachable, isReadOnly }: Glance,
): GroupView | null {
  const sequence = Math.min(at, configurations.length - 1);
  const { members, primary } = configurations[sequence] ?? { members: [], primary: '' };
  if (!members.includes(server)) {
    return null;
  }
  const rows = members.map<Member>((id) => ({
    id,
    address: addressOf(id),
    state: id !== server && unreachable.includes(id) ? 'UNREACHABLE' : 'ONLINE',
    isPrimary: id === primary,
  }));
  const refuses = primary !== server || isReadOnly;
  return { server, group: 'g', sequence, isReadOnly: refuses, isOffline: false, members: rows };
}

function roundOf({ configurations, glances }: Past): Map<string, GroupView | null> {
  return new Map(
    servers.map((server, index) => {
      const seen = glances[index] ?? null;
      return [addressOf(server), seen === null ? null : look(server, configurations, seen)];
    }),
  );
}

function seesMajority({ members }: GroupView): boolean {
  return members.filter(({ state }) => state === 'ONLINE').length * 2 > members.length;
}

describe('whatever a group that works goes through, and whoever answers when', () => {
  it('there is one primary at most, and it is that of the newest view with a majority', () => {
    fc.assert(
      fc.property(past, (some) => {
        const round = roundOf(some);
        const { writable } = groupReplication.resolve(round, some.primary);
        expect(writable.length).toBeLessThanOrEqual(1);
        const trusted = [...round.values()].filter((said) => said !== null && seesMajority(said));
        const newest = Math.max(...trusted.map((said) => said?.sequence ?? -1));
        for (const address of writable) {
          expect(address).toBe(addressOf(some.configurations[newest]?.primary ?? ''));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads go to members of the newest view that answered, and never to the primary', () => {
    fc.assert(
      fc.property(past, (some) => {
        const round = roundOf(some);
        const { writable, readable, members } = groupReplication.resolve(round, some.primary);
        for (const address of readable) {
          const said = round.get(address) ?? null;
          expect(said !== null && seesMajority(said)).toBe(true);
          expect(members).toContain(address);
          expect(writable).not.toContain(address);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('the order of the answers does not matter', () => {
    const shuffled = past.chain((some) => {
      const entries = [...roundOf(some)];
      const other = fc.shuffledSubarray(entries, {
        minLength: entries.length,
        maxLength: entries.length,
      });
      return fc.tuple(fc.constant(entries), other, fc.constant(some.primary));
    });
    fc.assert(
      fc.property(shuffled, ([one, other, primary]) => {
        const [first, second] = [one, other].map((entries) =>
          groupReplication.resolve(new Map(entries), primary),
        );
        expect(second).toEqual(first);
      }),
    );
  });
});

describe('a minority', () => {
  const minority = fc
    .tuple(fc.shuffledSubarray(servers, { minLength: 2 }), fc.nat(), fc.nat())
    .map(([group, cut, pick]) => ({
      group,
      side: group.slice(0, 1 + (cut % Math.floor(group.length / 2))),
      elected: group[pick % group.length] ?? '',
    }));

  it('has no primary and no reads, and gives up no host, whoever was the primary', () => {
    fc.assert(
      fc.property(minority, fc.constantFrom(...servers), ({ group, side, elected }, primary) => {
        const configurations = [{ members: group, primary: elected }];
        const unreachable = group.filter((id) => !side.includes(id));
        const round = new Map(
          group.map((id) => {
            const seen = { at: 0, unreachable, isReadOnly: false };
            return [addressOf(id), side.includes(id) ? look(id, configurations, seen) : null];
          }),
        );
        expect(groupReplication.resolve(round, addressOf(primary))).toEqual({
          writable: [],
          readable: [],
          members: group.map(addressOf).sort(),
          lags: new Map(),
        });
      }),
    );
  });
});
