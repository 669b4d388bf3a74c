import type { Address } from './topology.ts';

/** Where the instances of an Aurora cluster are, or why that is not known. */
export type DerivedPattern =
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'problem'; readonly problem: string };

/** `name.[kind-]id.region.rds.suffix`; in China and in closed regions `rds.region`. */
const endpoint =
  /^[a-z0-9-]+\.(cluster-custom-|cluster-ro-|cluster-)?([a-z0-9]+\.(?:[a-z0-9-]+\.rds|rds\.[a-z0-9-]+)\.[a-z0-9.-]+:\d+)$/;

/** These belong to no single instance, and their instances are not named after them. */
const indirect = [
  [/\.proxy-[^.]+\./, 'an RDS Proxy, which hides the instance that answers'],
  [/\.global-[^.]+\.global\./, 'a global database, whose instances are in several regions'],
  [/\.shardgrp-[^.]+\./, 'a shard group, which has no instances of its own'],
] as const;

/**
 * How the address of an instance follows from its name: `?.abc123.eu-west-1.rds.amazonaws.com:3306`,
 * from any endpoint of an instance or of the cluster (Aurora User Guide, "Aurora endpoint connections").
 *
 * @param addresses those of the configured hosts.
 */
export function deriveAuroraPattern(addresses: readonly Address[]): DerivedPattern {
  const patterns = new Set<string>();
  for (const address of addresses) {
    const domain = endpoint.exec(address)?.[2];
    if (domain !== undefined) {
      patterns.add(`?.${domain}`);
    }
  }
  const [pattern, ...others] = patterns;
  if (pattern === undefined) {
    return { kind: 'problem', problem: noPattern(addresses) };
  }
  if (others.length > 0) {
    const found = [...patterns].join(' and ');
    return {
      kind: 'problem',
      problem: `topology 'aurora': expected endpoints of one cluster on one port, found ${found}`,
    };
  }
  return { kind: 'pattern', pattern };
}

function noPattern(addresses: readonly Address[]): string {
  const found = addresses.map((address) => {
    const reason = whyIndirect(address);
    return reason === null ? address : `${address} (${reason})`;
  });
  return (
    "topology 'aurora': expected a host that is the endpoint of an Aurora instance or cluster, such as " +
    'name.cluster-abc123.eu-west-1.rds.amazonaws.com, from which the addresses of the other instances ' +
    `follow; found ${found.join(', ') || 'no host'}`
  );
}

function whyIndirect(address: Address): string | null {
  return indirect.find(([form]) => form.test(address))?.[1] ?? null;
}
