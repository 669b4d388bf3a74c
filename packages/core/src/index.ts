export type { UnsafeTable } from './catalogue/judge-tables.ts';
export { type CataloguePart, catalogueParts } from './catalogue/rows.ts';
export { type CatalogueState, type CatalogueStats, catalogueStates } from './catalogue/stats.ts';
export type {
  HostConfig,
  HostOptions,
  ReplicatedPoolOptions,
  RoutingOptions,
} from './config/options.ts';
export { optionProblems, optionsError } from './config/parse.ts';
export {
  ClientSession,
  currentSession,
  type SessionOptions,
} from './connection/client-session.ts';
export { ReplicatedConnection } from './connection/connection.ts';
export { type FlowStep, followFlows, inStep, openStep, outsideFlows } from './connection/flow.ts';
export {
  createReplicatedPool,
  type HostStats,
  type PoolStats,
  ReplicatedPool,
} from './connection/pool.ts';
export {
  openSession,
  primary,
  replicas,
  withoutTracking,
  withSession,
} from './connection/scopes.ts';
export type { Statement } from './connection/statement.ts';
export type { StatementHints, StatementOptions } from './connection/statement-options.ts';
export type { ConsistencyStats } from './consistency/causality.ts';
export { type Consistency, consistencies } from './consistency/levels.ts';
export type { OnBadToken } from './consistency/marks.ts';
export {
  type CatalogueEvent,
  channels,
  type HostEvent,
  type RoutedStatement,
  type StatementEvent,
  type TopologyEvent,
} from './diagnostics.ts';
export { type ErrorCode, errorCodes, isRwSplitError, RwSplitError } from './errors.ts';
export type { ClassificationStats } from './explain/classification-stats.ts';
export { explain } from './explain/explain.ts';
export type { Explanation } from './explain/explanation.ts';
export type { ExplainOptions } from './explain/options.ts';
export {
  type Balancing,
  type BalancingFunction,
  type BalancingName,
  balancings,
} from './hosts/choose.ts';
export { type HostState, hostStates } from './hosts/health.ts';
export type { HostSnapshot } from './hosts/snapshot.ts';
export { type TopologyName, topologyNames } from './hosts/topology-names.ts';
export type { SessionPerRequestOptions, TokenCookie } from './http/options.ts';
export { type StopSessionPerRequest, sessionPerRequest } from './http/session-per-request.ts';
export type { RemoveOptions } from './monitor/roster.ts';
export type { HostInfo, OnCreateConnection } from './pool/host-info.ts';
export type { RawConnection, UserPool } from './pool/mysql2.ts';
export { type Role, type RouteReason, routeReasons } from './routing/reasons.ts';
export type { StatementKind } from './statement/facts.ts';
export type { TableName, VetoCause } from './statement/syntax-tree.ts';
