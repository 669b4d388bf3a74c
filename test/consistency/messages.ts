import type { ClusterInfo } from '../support/servers/cluster.ts';
import type { Totals } from './tally.ts';
import type { Turn, TurnResult } from './turn.ts';

/** To the worker. */
export type Request =
  | { readonly kind: 'open'; readonly cluster: ClusterInfo; readonly writers: number }
  | { readonly kind: 'turn'; readonly id: number; readonly turn: Turn }
  | { readonly kind: 'close' };

/** From the worker. */
export type Reply =
  | { readonly kind: 'turn'; readonly id: number; readonly result: TurnResult }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed'; readonly totals: Totals };
