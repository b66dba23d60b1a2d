// What must be looked for in this network namespace besides pairs: outer packets of tunnels, and rewritten sources.
import type { Link } from '../../kernel/rtnetlink.js'
import { MODES, type Mode } from './layout.js'

const TUNNEL_KINDS = new Set(
  'amt bareudp erspan fou geneve gre gretap gtp ip6erspan ip6gre ip6gretap ip6tnl ipip ovpn sit vti vti6 vxlan wireguard xfrm'.split(' '),
)
/** ARPHRD_NONE: a tun device carries packets, a tap device frames of a virtual machine (both are of kind "tun"). */
const ARPHRD_NONE = 65534
const ARPHRD_ETHER = 1
const ETHERNET_HEADER = 14

/** Every network namespace is born with these once their module is loaded (net.core.fb_tunnels_only_for_init_net). */
const FALLBACK_NAMES = ['tunl0', 'gre0', 'gretap0', 'erspan0', 'sit0', 'ip6tnl0', 'ip6gre0', 'ip_vti0', 'ip6_vti0']

export function isTunnel({ kind, type, name, up }: Link): boolean {
  if (kind === 'tun') return type === ARPHRD_NONE
  return TUNNEL_KINDS.has(kind) && (up || !FALLBACK_NAMES.includes(name))
}

/** Bytes of packets, without the frame around them. */
export const packetBytesOf = ({ type, txBytes, txPackets }: Link): number =>
  type === ARPHRD_ETHER ? txBytes - ETHERNET_HEADER * txPackets : txBytes

export interface Surroundings {
  readonly kubernetes: boolean
  readonly nat: boolean
  readonly tunnels: readonly Link[]
}

export function modeFor({ kubernetes, nat, tunnels }: Surroundings): Mode {
  if (kubernetes || nat) return 'full'
  return tunnels.length > 0 ? 'tunnel' : 'plain'
}

/** Of which something may have passed already. */
export interface Traces {
  readonly translated: boolean
  readonly tunnelled: boolean
}

/** What rules of this mode did not tell from all else. */
export const missedBy = (mode: Mode, { translated, tunnelled }: Traces): Traces => ({
  translated: translated && mode !== 'full',
  tunnelled: tunnelled && mode === 'plain',
})

export const widerOf = (one: Mode, other: Mode): Mode => (isWider(other, one) ? other : one)
export const isWider = (mode: Mode, than: Mode): boolean => MODES.indexOf(mode) > MODES.indexOf(than)

/** Of /proc/net/ip_tables_names: tables that iptables-legacy has filled. */
export const hasNatTable = (names: string): boolean => names.split('\n').includes('nat')
