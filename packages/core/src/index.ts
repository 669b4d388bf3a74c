export type {
  HostConfig,
  HostOptions,
  ReplicatedPoolOptions,
  RoutingOptions,
} from './config/options.ts';
export { optionProblems, optionsError } from './config/parse.ts';
export { ReplicatedConnection } from './connection/connection.ts';
export {
  createReplicatedPool,
  type HostStats,
  type PoolStats,
  ReplicatedPool,
} from './connection/pool.ts';
export type { Statement, StatementOptions } from './connection/statement.ts';
export { channels, type HostEvent, type StatementEvent } from './diagnostics.ts';
export { type ErrorCode, errorCodes, isRwSplitError, RwSplitError } from './errors.ts';
export { type Balancing, balancings } from './hosts/choose.ts';
export type { HostInfo, OnCreateConnection } from './pool/host-info.ts';
export type { RawConnection, UserPool } from './pool/mysql2.ts';
export { type Role, type RouteReason, routeReasons } from './routing/reasons.ts';
