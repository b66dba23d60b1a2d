// Devices, addresses, routes and queueing disciplines (rtnetlink(7)); reading them needs no privilege.
import type { OpenNetlink } from '../deps.js'
import { addressText as textOfWords } from '../formats/address-text.js'
import { addressText } from './address.js'
import { createConversation, type Question } from './conversation.js'
import { KernelError } from './errors.js'
import { type Attributes, attribute, attributesOf, NLM_F_DUMP, NLM_F_REQUEST, textOf } from './message.js'

/**
 * `type`: ARPHRD_ number (linux/if_arp.h), 1 for Ethernet. `kind`: what made it ("veth", "vxlan"), '' for hardware and the loopback.
 * `master`: index of its bridge or bond, or 0.
 */
export interface Link {
  readonly index: number
  readonly name: string
  readonly type: number
  readonly kind: string
  readonly master: number
  readonly up: boolean
  readonly xdp: boolean
  readonly txBytes: number
  readonly txPackets: number
  readonly rxBytes: number
}

/** `parent`: TC_H_ROOT (0xffffffff) for the root of a device. Counts packets after segmentation. */
export interface Qdisc {
  readonly index: number
  readonly kind: string
  readonly handle: number
  readonly parent: number
  readonly bytes: number
  readonly packets: number
}

export interface InterfaceAddress {
  readonly index: number
  readonly address: string
}

export interface Rtnetlink {
  links(): readonly Link[]
  addresses(): readonly InterfaceAddress[]
  /** Indexes of devices with a default route of any family in any table. */
  defaultRouteDevices(): readonly number[]
  /** Index of the device that a packet to this address would leave by; undefined where there is no way. One word for IPv4, four for IPv6. */
  deviceTo(address: readonly number[]): number | undefined
  qdiscs(): readonly Qdisc[]
  close(): void
}

const RTM_GETLINK = 18
const RTM_GETADDR = 22
const RTM_GETROUTE = 26
const RTM_GETQDISC = 38
/** Sizes of struct ifinfomsg, ifaddrmsg, rtmsg and tcmsg. */
const LINK_HEADER = 16
const ADDRESS_HEADER = 8
const ROUTE_HEADER = 12
const QDISC_HEADER = 20

const AF_UNSPEC = 0
const AF_INET = 2
const AF_INET6 = 10
const IFF_UP = 1
const RTN_UNICAST = 1

export function createRtnetlink(open: OpenNetlink): Rtnetlink {
  const questions = createConversation(() => open('route'))
  const list = ({ type, headerBytes, family = AF_UNSPEC, what }: ListRequest): readonly Buffer[] => {
    const body = Buffer.alloc(headerBytes)
    body.writeUInt8(family)
    return questions.ask({ type, flags: NLM_F_REQUEST | NLM_F_DUMP, body, attempt: `list the ${what}` })
  }
  return {
    links: () => list({ type: RTM_GETLINK, headerBytes: LINK_HEADER, what: 'network devices' }).map(linkOf),
    addresses: () => list({ type: RTM_GETADDR, headerBytes: ADDRESS_HEADER, what: 'addresses' }).flatMap(addressesOf),
    defaultRouteDevices() {
      const routes = [AF_INET, AF_INET6].flatMap((family) =>
        list({ type: RTM_GETROUTE, headerBytes: ROUTE_HEADER, family, what: 'routes' }),
      )
      return [...new Set(routes.filter(isDefault).flatMap(routeDevices))]
    },
    deviceTo(address) {
      try {
        return questions.ask(wayTo(address)).flatMap(routeDevices)[0]
      } catch (error) {
        if (error instanceof KernelError && NO_WAY.includes(error.code)) return undefined
        throw error
      }
    },
    qdiscs: () => list({ type: RTM_GETQDISC, headerBytes: QDISC_HEADER, what: 'queueing disciplines' }).map(qdiscOf),
    close: questions.close,
  }
}

/** Unreachable, blackhole and prohibited routes answer with an error of their own. */
const NO_WAY = ['ENETUNREACH', 'EHOSTUNREACH', 'EINVAL', 'EACCES']
const RTA_DST = 1

function wayTo(address: readonly number[]): Question {
  const body = Buffer.alloc(ROUTE_HEADER)
  body.writeUInt8(address.length === 1 ? AF_INET : AF_INET6)
  body.writeUInt8(address.length * 32, 1)
  const bytes = Buffer.alloc(address.length * 4)
  for (const [index, word] of address.entries()) bytes.writeInt32BE(word, index * 4)
  const attempt = `find the way to ${textOfWords(address)}`
  return { type: RTM_GETROUTE, flags: NLM_F_REQUEST, body: Buffer.concat([body, attribute(RTA_DST, bytes)]), attempt }
}

interface ListRequest {
  readonly type: number
  readonly headerBytes: number
  readonly family?: number
  readonly what: string
}

const IFLA_IFNAME = 3
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_INFO_KIND = 1
const IFLA_STATS64 = 23
const IFLA_XDP = 43
const IFLA_XDP_ATTACHED = 2

function linkOf(body: Buffer): Link {
  const found = attributesOf(body.subarray(LINK_HEADER))
  // struct rtnl_link_stats64: rx_packets, tx_packets, rx_bytes, tx_bytes, ...
  const stats = found.get(IFLA_STATS64)
  return {
    index: body.readInt32LE(4),
    name: textOf(found.get(IFLA_IFNAME)),
    type: body.readUInt16LE(2),
    kind: textOf(attributesOf(found.get(IFLA_LINKINFO)).get(IFLA_INFO_KIND)),
    master: hostUint32(found.get(IFLA_MASTER)),
    up: (body.readUInt32LE(8) & IFF_UP) !== 0,
    xdp: (attributesOf(found.get(IFLA_XDP)).get(IFLA_XDP_ATTACHED)?.[0] ?? 0) !== 0,
    txPackets: hostUint64(stats, 8),
    rxBytes: hostUint64(stats, 16),
    txBytes: hostUint64(stats, 24),
  }
}

const IFA_ADDRESS = 1
const IFA_LOCAL = 2

/** With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL ours; without one IPv6 has only IFA_ADDRESS (rtnetlink(7)). */
function addressesOf(body: Buffer): InterfaceAddress[] {
  const found = attributesOf(body.subarray(ADDRESS_HEADER))
  const address = found.get(IFA_LOCAL) ?? found.get(IFA_ADDRESS)
  return address ? [{ index: body.readUInt32LE(4), address: addressText(address, 0, address.length) }] : []
}

const RTA_OIF = 4
const RTA_MULTIPATH = 9
/** struct rtnexthop: length u16, flags u8, hops u8, device i32, attributes. */
const NEXTHOP_BYTES = 8

/** struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags. IPv6 has an unreachable default on lo. */
const isDefault = (body: Buffer): boolean => body.readUInt8(1) === 0 && body.readUInt8(7) === RTN_UNICAST

function routeDevices(body: Buffer): number[] {
  const found = attributesOf(body.subarray(ROUTE_HEADER))
  const device = found.get(RTA_OIF)
  return device ? [hostUint32(device)] : nexthopDevices(found)
}

function nexthopDevices(found: Attributes): number[] {
  const hops = found.get(RTA_MULTIPATH) ?? Buffer.alloc(0)
  const devices: number[] = []
  for (let at = 0; at + NEXTHOP_BYTES <= hops.length; at += Math.max(NEXTHOP_BYTES, hops.readUInt16LE(at))) {
    devices.push(hops.readInt32LE(at + 4))
  }
  return devices
}

const TCA_KIND = 1
const TCA_STATS2 = 7
const TCA_STATS_BASIC = 1
const TCA_STATS_PKT64 = 8

/** struct tcmsg: family and padding, index, handle, parent, info. The 32-bit packet count of `basic` wraps, PKT64 follows it then. */
function qdiscOf(body: Buffer): Qdisc {
  const found = attributesOf(body.subarray(QDISC_HEADER))
  const stats = attributesOf(found.get(TCA_STATS2))
  const basic = stats.get(TCA_STATS_BASIC)
  const packets = stats.get(TCA_STATS_PKT64)
  return {
    index: body.readInt32LE(4),
    kind: textOf(found.get(TCA_KIND)),
    handle: body.readUInt32LE(8),
    parent: body.readUInt32LE(12),
    bytes: hostUint64(basic, 0),
    packets: packets ? hostUint64(packets, 0) : hostUint32(basic?.subarray(8)),
  }
}

const hostUint32 = (data: Buffer | undefined): number => (data && data.length >= 4 ? data.readUInt32LE(0) : 0)

function hostUint64(data: Buffer | undefined, offset: number): number {
  if (!data || data.length < offset + 8) return 0
  return data.readUInt32LE(offset + 4) * 0x1_0000_0000 + data.readUInt32LE(offset)
}
