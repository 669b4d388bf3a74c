import type { Role } from '../routing/reasons.ts';

/** What a balancing function sees of one host: frozen, as it was when a replica had to be chosen. */
export interface HostSnapshot {
  readonly name: string;
  readonly role: Role;
  /** Statements and sessions that have a connection of it, or wait for one. */
  readonly outstanding: number;
  /** How far it is behind the primary, in milliseconds; `null` if that is not known. */
  readonly lag: number | null;
  /** Its share of the reads, beside those of the others; 0: only if no other is there. */
  readonly weight: number;
  readonly zone: string | null;
  readonly groups: readonly string[];
  /** `suspect`: it has failed just now, and may be down. */
  readonly state: 'up' | 'suspect';
}
