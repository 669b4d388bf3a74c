/** How it is known which host is the primary. */
export const topologyNames = ['static', 'readOnly', 'groupReplication', 'aurora'] as const;

/** One of {@link topologyNames}. */
export type TopologyName = (typeof topologyNames)[number];
