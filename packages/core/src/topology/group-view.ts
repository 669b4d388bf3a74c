import { addressOf } from './address.ts';
import { isOn, numberOf, textOf } from './columns.ts';
import type { Address, Row } from './topology.ts';

/** A row of `performance_schema.replication_group_members`. */
export interface Member {
  /** Its `server_uuid`. */
  readonly id: string;
  /** Where the group says that clients reach it: `report_host` and `report_port`, or what stands in for them. */
  readonly address: Address;
  /** `ONLINE`, `RECOVERING`, `OFFLINE`, `ERROR` or `UNREACHABLE`. */
  readonly state: string;
  readonly isPrimary: boolean;
}

/** The group as one member sees it. */
export interface GroupView {
  /** The `server_uuid` of the one that sees it so. */
  readonly server: string;
  /** Which group, of all that have been bootstrapped from these servers. */
  readonly group: string;
  /** Grows with every change of the membership. */
  readonly sequence: number;
  /** Whether the server itself refuses writes, whatever its role. */
  readonly isReadOnly: boolean;
  /** Whether it is closed for ordinary accounts (`offline_mode`). */
  readonly isOffline: boolean;
  readonly members: readonly Member[];
}

/** The answer to the question of `group-replication.ts`: a row for each member. */
export function readGroupView(rows: readonly Row[]): GroupView | null {
  const [first] = rows;
  // No rows: the plugin is not there.
  if (first === undefined || textOf(first, 'server_uuid') === '') {
    return null;
  }
  // `<when the group was bootstrapped>:<changes since>` (MySQL manual, "View Changes").
  const [group = '', sequence = ''] = textOf(first, 'view_id').split(':');
  return {
    server: textOf(first, 'server_uuid'),
    group,
    sequence: Number(sequence) || 0,
    isReadOnly: isOn(first, 'read_only') || isOn(first, 'super_read_only'),
    isOffline: isOn(first, 'offline_mode'),
    members: rows.flatMap(readMember),
  };
}

function readMember(row: Row): Member[] {
  const id = textOf(row, 'member_id');
  const host = textOf(row, 'member_host');
  const port = numberOf(row, 'member_port');
  // A server whose plugin has not been started lists itself without a name.
  if (id === '' || host === '' || port === null) {
    return [];
  }
  const state = textOf(row, 'member_state');
  const isPrimary = textOf(row, 'member_role') === 'PRIMARY';
  return [{ id, address: addressOf(host, port), state, isPrimary }];
}

/** The row of one member. */
export function memberOf({ members }: GroupView, id: string): Member | null {
  return members.find((member) => member.id === id) ?? null;
}

export function isOnline(view: GroupView, id: string): boolean {
  return memberOf(view, id)?.state === 'ONLINE';
}

/**
 * Whether a view counts: its owner is in working order and sees more than half of the group, itself
 * included. Members that are cut off go on listing themselves as they were, and the primary among
 * them goes on being PRIMARY (MySQL manual, "Handling a Network Partition
 * and Loss of Quorum"; measured).
 */
export function isTrusted(view: GroupView): boolean {
  const { members, server } = view;
  const present = members.filter(({ state }) => state === 'ONLINE' || state === 'RECOVERING');
  return isOnline(view, server) && present.length * 2 > members.length;
}
