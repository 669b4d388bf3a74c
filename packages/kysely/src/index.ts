export {
  ClientSession,
  channels,
  type HostConfig,
  type HostEvent,
  type HostInfo,
  type HostOptions,
  isRwSplitError,
  openSession,
  RwSplitError,
  type StatementEvent,
  withSession,
} from '@rwsplit/core';
export { ReplicatedMysqlDialect } from './dialect.ts';
export { forcePrimary } from './force-primary.ts';
export { inSession } from './in-session.ts';
export type { ReplicatedMysqlDialectOptions } from './options.ts';
export type { Pluggable } from './pluggable.ts';
