// From a declaration of zones, nodes and pods to the lines that `ip -batch` needs. Pure.
//
//   pod eth0 ── v-pod  node  eth0 ── node  cloud  database ── eth0 host
//
// Every wire is a veth pair. As in the clouds' own CNIs each end holds /32 (/128) addresses and sends everything to the other end; the
// namespace `cloud` routes between nodes and hosts, knows which node every pod is on, and drops silently what it does not know.
// Nothing but what somebody sends crosses a wire: neighbours are static, no ARP, no ND, no multicast groups, hence no MLD.

export interface PodSpec {
  readonly name: string
  readonly address: string
  readonly address6?: string
  /** Prefixes that live here too: programs may bind to and receive on every address in them. */
  readonly ranges?: readonly string[]
}

export type HostSpec = PodSpec

export interface NodeSpec extends PodSpec {
  readonly zone: string
  readonly pods: readonly PodSpec[]
}

export interface TopologySpec {
  readonly nodes: readonly NodeSpec[]
  /** Outside of the cluster: a database, the internet. */
  readonly hosts: readonly HostSpec[]
  /** Of all wires; default 1500. */
  readonly mtu?: number
}

export interface Plan {
  /** For the world: namespaces and wires. */
  readonly wires: readonly string[]
  readonly namespaces: readonly { readonly name: string; readonly forwards: boolean; readonly batch: readonly string[] }[]
}

const CLOUD = 'cloud'
/** The uplink of a node, the only device of a pod or host. */
export const UPLINK = 'eth0'
/** In its node, the other end of a pod's wire. */
export const podDevice = (pod: string): string => `v-${pod}`

/** The near end of every wire; alone on it, so one address serves all. */
export const GATEWAY_MAC = '02:00:00:00:ff:01'
const GATEWAY = '169.254.1.1'
const GATEWAY6 = 'fe80::1'

interface Wire {
  readonly end: PodSpec
  /** The namespace and device that everything from `end` arrives at. */
  readonly near: string
  readonly device: string
  readonly mac: string
}

export function planOf(spec: TopologySpec): Plan {
  const wires = wiresOf(spec)
  const mtu = spec.mtu ?? 1500
  const names = [CLOUD, ...wires.map(({ end }) => end.name)]
  checkNames(names)
  return {
    wires: [...names.map((name) => `netns add ${name}`), ...wires.map((wire) => vethOf(wire, mtu))],
    namespaces: names.map((name) => ({ name, forwards: wires.some(({ near }) => near === name), batch: batchOf(name, spec, wires) })),
  }
}

/** For a kernel without IPv6. */
export function withoutIpv6({ nodes, hosts, ...rest }: TopologySpec): TopologySpec {
  const strip = <End extends PodSpec>({ address6: _, ranges = [], ...end }: End) => ({
    ...end,
    ranges: ranges.filter((range) => !isIpv6(range)),
  })
  return { ...rest, nodes: nodes.map((node) => ({ ...strip(node), zone: node.zone, pods: node.pods.map(strip) })), hosts: hosts.map(strip) }
}

const isIpv6 = (prefix: string): boolean => prefix.includes(':')

/** Fixed by the order of the declaration. */
export function macOf(spec: TopologySpec, name: string): string {
  const wire = wiresOf(spec).find(({ end }) => end.name === name)
  if (!wire) throw new Error(`no pod, node or host is called ${name}`)
  return wire.mac
}

export const addressesOf = ({ address, address6, ranges = [] }: PodSpec): string[] => [
  `${address}/32`,
  ...(address6 ? [`${address6}/128`] : []),
  ...ranges,
]

function wiresOf({ nodes, hosts }: TopologySpec): Wire[] {
  const ends = [
    ...[...nodes, ...hosts].map((end) => ({ end, near: CLOUD, device: end.name })),
    ...nodes.flatMap((node) => node.pods.map((end) => ({ end, near: node.name, device: podDevice(end.name) }))),
  ]
  return ends.map((wire, index) => ({ ...wire, mac: `02:00:00:00:${hexOf(index >> 8)}:${hexOf(index & 255)}` }))
}

const hexOf = (byte: number): string => byte.toString(16).padStart(2, '0')

function checkNames(names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    // A device name holds 15 characters, `v-` included.
    if (!/^[a-z][a-z0-9-]{0,12}$/.test(name)) throw new Error(`"${name}" is no name: lower case, digits and -, 13 characters at most`)
    if (names.indexOf(name) !== index) throw new Error(`two are called ${name}`)
  }
}

function vethOf({ end, near, device, mac }: Wire, mtu: number): string {
  const far = `link add name ${UPLINK} address ${mac} mtu ${mtu} netns ${end.name}`
  return `${far} type veth peer name ${device} address ${GATEWAY_MAC} mtu ${mtu} netns ${near}`
}

function batchOf(name: string, spec: TopologySpec, wires: readonly Wire[]): string[] {
  const own = wires.find(({ end }) => end.name === name)
  return [
    'link set lo up',
    ...(own ? uplinkOf(own.end) : []),
    ...wires.filter(({ near }) => near === name).flatMap(nearOf),
    ...(name === CLOUD ? cloudRoutesOf(spec) : []),
  ]
}

/** No address of its own making, no question to neighbours, no multicast group. */
export const quiet = (device: string): string => `link set dev ${device} arp off multicast off addrgenmode none up`

function uplinkOf({ address, address6, ranges = [] }: PodSpec): string[] {
  return [
    quiet(UPLINK),
    `addr add ${address}/32 dev ${UPLINK}`,
    `neigh replace ${GATEWAY} lladdr ${GATEWAY_MAC} dev ${UPLINK} nud permanent`,
    `route add default via ${GATEWAY} dev ${UPLINK} onlink`,
    ...(address6
      ? [
          `addr add ${address6}/128 dev ${UPLINK} nodad`,
          `neigh replace ${GATEWAY6} lladdr ${GATEWAY_MAC} dev ${UPLINK} nud permanent`,
          `route add default via ${GATEWAY6} dev ${UPLINK} onlink`,
        ]
      : []),
    ...ranges.map((range) => `route add local ${range} dev lo`),
  ]
}

function nearOf({ end, device, mac }: Wire): string[] {
  const neighbour = (address: string): string => `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`
  return [
    quiet(device),
    neighbour(end.address),
    `route add ${end.address}/32 dev ${device}`,
    ...(end.address6 ? [neighbour(end.address6), `route add ${end.address6}/128 dev ${device}`] : []),
    ...(end.ranges ?? []).map((range) => routeOf(range, end, device)),
  ]
}

function cloudRoutesOf({ nodes }: TopologySpec): string[] {
  const pods = nodes.flatMap((node) => node.pods.flatMap(addressesOf).map((prefix) => routeOf(prefix, node, node.name)))
  return [...pods, 'route add blackhole 0.0.0.0/0', ...(nodes.some(({ address6 }) => address6) ? ['route add blackhole ::/0'] : [])]
}

function routeOf(prefix: string, next: PodSpec, device: string): string {
  const via = isIpv6(prefix) ? next.address6 : next.address
  if (!via) throw new Error(`${prefix} needs an IPv6 address of ${next.name}`)
  return `route add ${prefix} via ${via} dev ${device} onlink`
}
