export {
  ClientSession,
  type Consistency,
  channels,
  currentSession,
  type HostConfig,
  type HostEvent,
  type HostInfo,
  type HostOptions,
  isRwSplitError,
  openSession,
  primary,
  RwSplitError,
  replicas,
  type SessionOptions,
  type SessionPerRequestOptions,
  type StatementEvent,
  sessionPerRequest,
  type TopologyEvent,
  withoutTracking,
  withSession,
} from '@rwsplit/core';
export { ReplicatedMysqlDialect } from './dialect.ts';
export { forcePrimary } from './force-primary.ts';
export { inSession } from './in-session.ts';
export type { ReplicatedMysqlDialectOptions } from './options.ts';
export type { Pluggable } from './pluggable.ts';
export { useReplica } from './use-replica.ts';
export { withConsistency } from './with-consistency.ts';
export { withMaxLag } from './with-max-lag.ts';
