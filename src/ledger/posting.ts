// Which node posts a sighting, so that every byte is counted by one agent only.
import type { Placement } from '../model.js'

/**
 * `posted`: this node's agent counts it. `elsewhere`: another one does. `transit`: it came from outside and left again;
 * only what was source-translated on the way is ours, since nobody else can tell where it came from. `pending`: not known yet.
 */
export type Book = 'posted' | 'elsewhere' | 'transit' | 'pending' | 'multicast'

/**
 * The sender's node posts; where no agent covers the sender, the receiver's node does.
 * A covered address that is not local is ignored as a source: so a Service address that shows up is never posted twice.
 */
export function bookOf(source: Placement, destination: Placement): Book {
  if (source.local === 'yes') return 'posted'
  if (source.covered === 'yes') return 'elsewhere'
  if ([source.local, source.covered, destination.local].includes('unknown')) return 'pending'
  return destination.local === 'yes' ? 'posted' : 'transit'
}

/** 224.0.0.0/4, the limited broadcast, or ff00::/8. Not 240.0.0.0/4, which some clouds give to pods. */
export function isMulticast(address: string): boolean {
  if (address.includes(':')) return /^ff[0-9a-f]{2}:/.test(address)
  const first = Number.parseInt(address, 10)
  return (first >= 224 && first < 240) || address === '255.255.255.255'
}
