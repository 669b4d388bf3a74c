export { ClientSession, openSession, withSession } from '@rwsplit/core';
export { ReplicatedMysql2 } from './client.ts';
export type { ReplicationOptions } from './config.ts';
export { forcePrimary, type Hintable } from './force-primary.ts';
