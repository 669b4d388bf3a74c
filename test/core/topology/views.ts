import type { GroupView, Member } from '../../../packages/core/src/topology/group-view.ts';

const states: Readonly<Record<string, string>> = {
  '?': 'UNREACHABLE',
  '~': 'RECOVERING',
  '!': 'ERROR',
  '-': 'OFFLINE',
};

/** `a` is ONLINE, `a*` PRIMARY, `a?` UNREACHABLE, `a~` RECOVERING, `a!` ERROR, `a-` OFFLINE. */
function member(text: string): Member {
  const id = text.replace(/\W/g, '');
  const state = states[text.slice(-1)] ?? 'ONLINE';
  return { id, address: `${id}:3306`, state, isPrimary: text.includes('*') };
}

/**
 * The group as a member sees it, in the notation above; the primary takes writes, others do not.
 *
 * @example `view('a', 'a* b c?')`
 */
export function view(
  server: string,
  sees: string,
  more: Partial<Omit<GroupView, 'server'>> = {},
): GroupView {
  const members = sees.split(' ').map(member);
  const isPrimary = members.some(({ id, isPrimary }) => id === server && isPrimary);
  return {
    server,
    group: 'g',
    sequence: 1,
    isReadOnly: !isPrimary,
    isOffline: false,
    members,
    ...more,
  };
}
