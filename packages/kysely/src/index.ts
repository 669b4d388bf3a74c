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
  type RoutedStatement,
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
export { ReplicatedMysqlDialect } from './dialect.ts';
export { forcePrimary } from './force-primary.ts';
export type { DialectHost, OperationOptions } from './hosts.ts';
export { inSession } from './in-session.ts';
export type { MysqlDialectOptions, ReplicatedMysqlDialectOptions } from './options.ts';
export type { Pluggable } from './pluggable.ts';
export { routeOf } from './routes.ts';
export { useReplica } from './use-replica.ts';
export { withConsistency } from './with-consistency.ts';
export { withMaxLag } from './with-max-lag.ts';
