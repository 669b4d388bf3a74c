/**
 * The hosts in the order in which the process of this key prefers them: it uses the first few that are
 * available, and goes back to an earlier one when that is back. The order of `names` does not matter.
 *
 * Rendezvous hashing (Thaler and Ravishankar 1998): each pair of process and host has a score of its own.
 * So a host that comes or goes leaves the order of the others alone, and the processes that had one
 * which is gone have each another next one: its load spreads over all that are left.
 */
export function preferenceOf(names: readonly string[], key: string): readonly string[] {
  return names
    .map((name) => ({ name, score: mixed(hashed(`${key} ${name}`)) }))
    .sort((one, other) => other.score - one.score || (one.name < other.name ? -1 : 1))
    .map(({ name }) => name);
}

/**
 * The hosts that the process of this key uses while all are available: `size` of them, or all.
 * A host that is added or removed replaces at most one of them; of all processes, it does so in the
 * share that `size` is of the number of hosts.
 */
export function subsetOf(names: readonly string[], size: number, key: string): readonly string[] {
  return preferenceOf(names, key).slice(0, size);
}

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** FNV-1a, 32 bits, over UTF-16 units. Its low bits alone tell similar texts apart: see {@link mixed}. */
function hashed(text: string): number {
  let hash = offsetBasis;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), prime);
  }
  return hash;
}

/** MurmurHash3's last step: each bit of the hash changes half of the bits. Not negative. */
function mixed(hash: number): number {
  let bits = hash;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
