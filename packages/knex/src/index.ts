export {
  ClientSession,
  type Consistency,
  currentSession,
  openSession,
  primary,
  replicas,
  type SessionOptions,
  type SessionPerRequestOptions,
  sessionPerRequest,
  withoutTracking,
  withSession,
} from '@rwsplit/core';
export { poolOf, ReplicatedMysql2 } from './client.ts';
export type { ReplicationOptions } from './config.ts';
export { forcePrimary, type Hintable } from './force-primary.ts';
export { useReplica } from './use-replica.ts';
