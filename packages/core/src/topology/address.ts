import type { Address } from './topology.ts';

/**
 * One spelling for each address: lower case, no closing dot, IPv6 in brackets and in its short form.
 * `localhost` stays a name of its own: what it stands for is the resolver's business.
 */
export function addressOf(host: string, port: number): Address {
  const name = host.toLowerCase().replace(/\.$/, '');
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  return `${bare.includes(':') ? shortIpv6(bare) : bare}:${port}`;
}

/** The parts that a connection needs of an address. */
export function parseAddress(address: Address): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(colon + 1)) };
}

function shortIpv6(text: string): string {
  const bracketed = `[${text}]`;
  const url = `mysql://${bracketed}`;
  return URL.canParse(url) ? new URL(url).hostname : bracketed;
}
