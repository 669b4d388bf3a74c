import type { HostInfo } from '../pool/host-info.ts';
import type { ReplicaLimits } from '../pool/replica-choice.ts';
import type { ScopeMarks } from './marks.ts';

/** Where a plain read may run. */
export type Placement =
  | ({ readonly role: 'replica' } & ReplicaLimits)
  | { readonly role: 'primary'; readonly reason: 'replicas-behind' | 'causal-window' }
  | { readonly role: 'none'; readonly error: Error };

export const anywhere: Placement = {
  role: 'replica',
  admits: () => true,
  preferred: null,
  chosen: () => {},
};
export const behind: Placement = { role: 'primary', reason: 'replicas-behind' };
export const inWindow: Placement = { role: 'primary', reason: 'causal-window' };

/** On the replicas that are admitted; reads of one session that begin together stay together. */
export function onReplicas(
  scope: ScopeMarks | null,
  admits: (host: HostInfo) => boolean,
): Placement {
  return {
    role: 'replica',
    admits,
    preferred: scope?.preferred ?? null,
    chosen: (host) => scope?.lean(host),
  };
}
