import type { Role } from '../routing/reasons.ts';
import type { RawConnection } from './mysql2.ts';

/** What a user's function learns of a host. */
export interface HostInfo {
  /** The configured name, or `address:port`. */
  readonly name: string;
  readonly role: Role;
}

/**
 * Called for each new physical connection of every host before its first statement; a promise is
 * awaited. What it throws becomes the cause of a `RWSPLIT_HOST_SETUP` error.
 */
export type OnCreateConnection = (connection: RawConnection, host: HostInfo) => unknown;
