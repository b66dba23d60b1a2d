// Which node posts a sighting, so that every byte is counted by one agent only.
import type { Placement } from '../model.js'

/**
 * `posted`: this node's agent counts it. `elsewhere`: another one does. `handover`: another one did, or will, and may not have counted it. `transit`: it came from outside and left again;
 * only what was source-translated on the way is ours, since nobody else can tell where it came from. `pending`: not known yet.
 */
export type Book = 'posted' | 'elsewhere' | 'handover' | 'transit' | 'pending' | 'multicast'

/**
 * The sender's node posts; where no agent covers the sender, the receiver's node does. Who is not known yet is waited for.
 * A covered address that is not local is ignored as a source: so a Service address that shows up is never posted twice.
 */
export function bookOf(source: Placement, destination: Placement): Book {
  const isHere = source.local === 'yes' || source.local === 'joining'
  if (!isHere && source.covered === 'yes') return 'elsewhere'
  if (!isHere && source.covered === 'perhaps') return 'handover'
  if (destination.local === 'unknown' || source.local === 'unknown') return 'pending'
  if (isHere) return source.local === 'yes' ? 'posted' : 'handover'
  if (source.covered === 'unknown') return 'pending'
  return destination.local === 'no' ? 'transit' : 'posted'
}

/** Its bytes wait, for it or for another. */
export const isPending = ({ local, covered }: Pick<Placement, 'local' | 'covered'>): boolean => local === 'unknown' || covered === 'unknown'

/** 224.0.0.0/4, the limited broadcast, or ff00::/8. Not 240.0.0.0/4, which some clouds give to pods. */
export function isMulticast(text: string): boolean {
  const [address = ''] = text.split('@')
  if (address.includes(':')) return /^ff[0-9a-f]{2}:/.test(address)
  const first = Number.parseInt(address, 10)
  return (first >= 224 && first < 240) || address === '255.255.255.255'
}
