/** What reads must see. */
export const consistencies = ['session', 'process', 'eventual'] as const;

/**
 * What a read must see of the writes before it:
 *
 * - `'session'`: those of its session, and nothing older than what the session has read before;
 * - `'process'`: besides, those of all this process;
 * - `'eventual'`: whatever a replica has by now.
 */
export type Consistency = (typeof consistencies)[number];
