// Bytes that left this network namespace, as its devices count them: what the pairs are held against.
import type { Link } from '../../kernel/rtnetlink.js'
import type { Egress } from '../../model.js'
import { isTunnel, packetBytesOf } from './mode.js'

export interface EgressParts {
  readonly links: readonly Link[]
  /** Indexes of devices with a default route. */
  readonly uplinks: readonly number[]
  readonly outerSent: number
}

export function egressOf({ links, uplinks, outerSent }: EgressParts): Egress {
  const sentBy = (which: (link: Link) => boolean): number => links.filter(which).reduce((sum, link) => sum + packetBytesOf(link), 0)
  return {
    uplinks: sentBy(({ index }) => uplinks.includes(index)),
    intoTunnels: sentBy(isTunnel),
    outerSent,
  }
}
