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
  type Role,
  type RouteReason,
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
export { poolOf, ReplicatedMysql2 } from './client.ts';
export type { ReplicationOptions } from './config.ts';
export { forcePrimary, type Hintable } from './force-primary.ts';
export type { StatementRoute } from './trace.ts';
export { useReplica } from './use-replica.ts';
