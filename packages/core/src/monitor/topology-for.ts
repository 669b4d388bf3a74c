import { optionsError } from '../config/parse.ts';
import type { TopologyName } from '../hosts/topology-names.ts';
import type { Host } from '../pool/host.ts';
import { aurora } from '../topology/aurora.ts';
import { deriveAuroraPattern } from '../topology/aurora-pattern.ts';
import { groupReplication } from '../topology/group-replication.ts';
import { readOnly } from '../topology/read-only.ts';
import type { Topology } from '../topology/topology.ts';

/**
 * How roles are found out; `null`: they are as configured.
 *
 * @throws `RWSPLIT_OPTIONS` if the hosts are not such as the topology needs.
 */
export function topologyFor(name: TopologyName, hosts: readonly Host[]): Topology<unknown> | null {
  switch (name) {
    case 'static':
      return null;
    case 'readOnly':
      return asAny(readOnly);
    case 'groupReplication':
      return asAny(groupReplication);
    case 'aurora':
      return asAny(auroraOf(hosts));
  }
}

function auroraOf(hosts: readonly Host[]): ReturnType<typeof aurora> {
  const derived = deriveAuroraPattern(hosts.map(({ address }) => address));
  if (derived.kind === 'problem') {
    throw optionsError([derived.problem]);
  }
  return aurora({ pattern: derived.pattern });
}

/** What one says is read by itself alone. */
function asAny<Said>(topology: Topology<Said>): Topology<unknown> {
  return topology as Topology<unknown>;
}
