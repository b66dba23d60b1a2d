// Bytes that left this network namespace, as its devices count them: what the pairs are held against.
import type { Link } from '../../kernel/rtnetlink.js'
import type { Egress } from '../../model/flows.js'
import { isTunnel, packetBytesOf } from './mode.js'

export interface EgressParts {
  readonly links: readonly Link[]
  /** Indexes of devices with a default route. */
  readonly uplinks: readonly number[]
  readonly outerSent: number
}

export function egressOf({ links, uplinks, outerSent }: EgressParts): Egress {
  const sumOf = (bytes: readonly number[]): number => bytes.reduce((sum, value) => sum + value, 0)
  return {
    uplinks: sumOf(links.filter(({ index }) => uplinks.includes(index)).map(packetBytesOf)),
    // Tunnels count the packet inside without its frame, whatever they call themselves (iptunnel_xmit).
    intoTunnels: sumOf(links.filter(isTunnel).map(({ txBytes }) => txBytes)),
    outerSent,
  }
}
