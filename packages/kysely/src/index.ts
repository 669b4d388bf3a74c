export {
  channels,
  type HostConfig,
  type HostEvent,
  type HostInfo,
  type HostOptions,
  isRwSplitError,
  RwSplitError,
  type StatementEvent,
} from '@rwsplit/core';
export { ReplicatedMysqlDialect } from './dialect.ts';
export { forcePrimary, type Pluggable } from './force-primary.ts';
export type { ReplicatedMysqlDialectOptions } from './options.ts';
