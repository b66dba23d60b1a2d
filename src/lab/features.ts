// What a cluster may have besides plain routes, each put onto a topology that exists. Tests only: needs nft, tc and bridge.
import { addressesOf, GATEWAY_MAC, macOf, type NodeSpec, type PodSpec, podDevice, quiet, UPLINK } from './plan.js'
import type { Topology } from './topology.js'

export const loadRules = (topology: Topology, node: string, rules: string): Promise<string> =>
  topology.run(node, ['nft', '-f', '-'], { input: rules })

export interface Service {
  readonly protocol?: 'tcp' | 'udp'
  /** The virtual address. */
  readonly address: string
  readonly port: number
  readonly nodePort?: number
  readonly backend: string
  readonly backendPort: number
}

export interface KubeRules {
  readonly services?: readonly Service[]
  /** Pods of this node leave the cluster under the node's address. */
  readonly masquerade?: boolean
}

/** IPv4 address translation of one node as kube-proxy and CNIs do it, with kube-proxy's mark for what needs a new source. */
export function kubeRulesOf({ spec }: Topology, name: string, { services = [], masquerade = false }: KubeRules): string {
  const node = nodeOf(spec.nodes, name)
  const dnat = ({ backend, backendPort }: Service): string => `dnat to ${backend}:${backendPort}`
  const virtual = (service: Service, mark: string): string =>
    `ip daddr ${service.address} ${service.protocol ?? 'tcp'} dport ${service.port} ${mark} ${dnat(service)}`
  const nodePorts = services.filter(({ nodePort }) => nodePort !== undefined)
  const onNode = nodePorts.map(
    (service) => `ip daddr ${node.address} ${service.protocol ?? 'tcp'} dport ${service.nodePort} ${MARK} ${dnat(service)}`,
  )
  const inside = spec.nodes.flatMap(({ address, pods }) => [address, ...pods.map((pod) => pod.address)]).join(', ')
  const own = node.pods.map(({ address }) => address).join(', ')
  return `table ip kube {
  chain prerouting {
    type nat hook prerouting priority -100
    ${[...services.map((service) => virtual(service, '')), ...onNode].join('\n    ')}
  }
  chain output {
    type nat hook output priority -100
    ${services.map((service) => virtual(service, MARK)).join('\n    ')}
  }
  chain postrouting {
    type nat hook postrouting priority 100
    meta mark & 0x4000 == 0x4000 masquerade
    ${masquerade ? `ip saddr { ${own} } ip daddr != { ${inside} } masquerade` : ''}
  }
}
`
}

const MARK = 'meta mark set 0x4000'

/** What processes of a node itself send, which no device counts apart: IP bytes at `output` before anybody may drop or change them. */
export async function countHostOutput(topology: Topology, node: string): Promise<() => Promise<number>> {
  await loadRules(
    topology,
    node,
    `table inet truth {
  counter sent { packets 0 bytes 0
  }
  chain output {
    type filter hook output priority -500
    oifname != "lo" counter name sent
  }
}
`,
  )
  return async () => {
    const text = await topology.run(node, ['nft', 'list', 'counter', 'inet', 'truth', 'sent'])
    return Number(/bytes (\d+)/.exec(text)?.[1])
  }
}

/** Pods of other nodes through a tunnel instead of the cloud's routes, as flannel and Calico do. */
export async function addVxlan(
  topology: Topology,
  { id = 1, port = 8472 }: { readonly id?: number; readonly port?: number } = {},
): Promise<void> {
  const { nodes } = topology.spec
  const device = 'vxlan0'
  const mac = (node: NodeSpec): string => macOf(topology.spec, node.name).replace(/^02/, '06')
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node)
    const peers = others.flatMap((other) => [
      ...[other.address, other.address6]
        .filter(Boolean)
        .map((address) => `neigh replace ${address} lladdr ${mac(other)} dev ${device} nud permanent`),
      ...other.pods.flatMap((pod) => podRoutes(pod, other, device)),
    ])
    const vxlan = `type vxlan id ${id} dstport ${port} local ${node.address} dev ${UPLINK} nolearning`
    const small = node.pods.map((pod) => `link set dev ${podDevice(pod.name)} mtu ${MTU_IN_VXLAN}`)
    await batchIn(topology, node.name, [
      `link add name ${device} address ${mac(node)} mtu ${MTU_IN_VXLAN} ${vxlan}`,
      quiet(device),
      ...peers,
      ...small,
    ])
    for (const pod of node.pods) await setMtu(topology, pod.name, MTU_IN_VXLAN)
    for (const other of others) await topology.run(node.name, ['bridge', 'fdb', 'append', mac(other), 'dev', device, 'dst', other.address])
  }
}

const MTU_IN_VXLAN = 1_450

function podRoutes(pod: PodSpec, { address, address6 }: NodeSpec, device: string): string[] {
  return addressesOf(pod).map((prefix) => `route replace ${prefix} via ${prefix.includes(':') ? address6 : address} dev ${device} onlink`)
}

/** Pods of a node on one bridge, so that they reach each other without being routed. */
export async function addBridge(topology: Topology, name: string): Promise<void> {
  const { pods } = nodeOf(topology.spec.nodes, name)
  const device = 'cni0'
  const neighbours = (pod: PodSpec, on: string): string[] => [
    ...addressesOf(pod).map((prefix) => `route replace ${prefix} dev ${on}`),
    ...[pod.address, pod.address6]
      .filter(Boolean)
      .map((address) => `neigh replace ${address} lladdr ${macOf(topology.spec, pod.name)} dev ${on} nud permanent`),
  ]
  const bridge = [`link add name ${device} address ${GATEWAY_MAC} type bridge mcast_snooping 0`, quiet(device)]
  const ports = pods.map((pod) => `link set dev ${podDevice(pod.name)} master ${device}`)
  await batchIn(topology, name, [...bridge, ...ports, ...pods.flatMap((pod) => neighbours(pod, device))])
  for (const pod of pods) {
    await topology.run(name, ['bridge', 'fdb', 'replace', macOf(topology.spec, pod.name), 'dev', podDevice(pod.name), 'master', 'static'])
    await batchIn(
      topology,
      pod.name,
      pods.filter((other) => other !== pod).flatMap((other) => neighbours(other, UPLINK)),
    )
  }
}

const setMtu = (topology: Topology, name: string, mtu: number, device = UPLINK): Promise<string> =>
  topology.run(name, ['ip', 'link', 'set', 'dev', device, 'mtu', String(mtu)])

/** One segment a packet: TCP builds no super-packets. */
export const withoutGso = (topology: Topology, name: string, device = UPLINK): Promise<string> =>
  topology.run(name, ['ip', 'link', 'set', 'dev', device, 'gso_max_segs', '1'])

/** A queueing discipline that counts what leaves the device after segmentation; veth devices have none. */
export const addPfifo = (topology: Topology, name: string, device = UPLINK): Promise<string> =>
  topology.run(name, ['tc', 'qdisc', 'replace', 'dev', device, 'root', 'pfifo', 'limit', '10000'])

const batchIn = (topology: Topology, name: string, lines: readonly string[]): Promise<string> =>
  topology.run(name, ['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` })

function nodeOf(nodes: readonly NodeSpec[], name: string): NodeSpec {
  const node = nodes.find((one) => one.name === name)
  if (!node) throw new Error(`no node is called ${name}`)
  return node
}
