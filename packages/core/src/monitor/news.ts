import {
  type HostEvent,
  hostChannel,
  type TopologyEvent,
  topologyChannel,
} from '../diagnostics.ts';
import { codeOf } from '../pool/failure.ts';
import type { Host } from '../pool/host.ts';
import type { RoleChange } from './monitor.ts';

/** Tells whom it concerns that a host is another than it was. */
export function publishHealth(host: Host): void {
  const { state, lastFailure } = host.health;
  const event: HostEvent = {
    host: host.name,
    role: host.role,
    isUp: host.isReachable,
    state,
    failure: lastFailure,
  };
  hostChannel.publish(event);
  if (state === 'down' && event.role === 'replica') {
    // Reads go on without it, so that nothing else would tell of a wrong address.
    process.emitWarning(
      `rwsplit: replica ${event.host} is out of service (${event.failure}); reads go elsewhere, and it is tried again`,
      { type: 'RwSplitWarning', code: 'RWSPLIT_REPLICA_DOWN' },
    );
  }
}

/** Tells whom it concerns what has become of the primary. */
export function publishRoles(change: RoleChange, hasLostWrites: boolean): void {
  const event: TopologyEvent = {
    primary: 'to' in change ? change.to.name : null,
    previous: change.from.name,
    rivals: change.kind === 'several' ? change.hosts.map(({ name }) => name) : [],
    hasLostWrites,
  };
  topologyChannel.publish(event);
  if (event.rivals.length > 0) {
    process.emitWarning(
      `rwsplit: ${event.rivals.length} hosts take writes (${event.rivals.join(', ')}), and one must: writes are refused until then`,
      { type: 'RwSplitWarning', code: 'RWSPLIT_TWO_PRIMARIES' },
    );
  }
  if (hasLostWrites) {
    process.emitWarning(
      `rwsplit: the new primary ${event.primary} lacks writes that ${event.previous} had confirmed to this process`,
      { type: 'RwSplitWarning', code: 'RWSPLIT_WRITES_LOST' },
    );
  }
}

/** Tells whom it concerns that a round of probes came to nothing. */
export function warnOfProbe(error: Error): void {
  process.emitWarning(
    `rwsplit: roles and lag could not be found out (${codeOf(error)}); they are asked for again`,
    { type: 'RwSplitWarning', code: 'RWSPLIT_PROBE' },
  );
}
