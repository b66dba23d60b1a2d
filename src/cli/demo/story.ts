// What the demo plays, as data: a shop in three zones, whose bill rises because istiod pushes its configuration across zones.
//
//   us-east-1a  node-a  istiod      web-a  cart-a
//   us-east-1b  node-b  checkout    recommend  statsd      orders-db (a database outside of the cluster)
//   us-east-1c  node-c  stock       web-c  cart-c
//   elsewhere   payments.example.com
import type { TopologySpec } from '../../lab/plan.js'

export interface Owner {
  readonly namespace: string
  readonly kind: string
  readonly name: string
}

export interface StoryPod {
  readonly name: string
  readonly address: string
  readonly address6: string
  readonly owner: Owner
}

export interface StoryNode {
  readonly name: string
  readonly zone: string
  readonly address: string
  readonly address6: string
  readonly pods: readonly StoryPod[]
}

export interface StoryHost extends StoryPod {
  /** Without one it is on the internet. */
  readonly zone?: string
}

interface Between {
  readonly from: string
  readonly to: string
  readonly port: number
  readonly ipv6?: boolean
}

/** One connection that stays. */
export type Stream = Between & { readonly kind: 'stream'; readonly bytesPerSecond: number }
/** A connection for each question and its answer. */
export type Calls = Between & { readonly kind: 'calls'; readonly perSecond: number; readonly request: number; readonly response: number }
/** UDP, one way. */
export type Datagrams = Between & { readonly kind: 'datagrams'; readonly bytesPerSecond: number; readonly size: number }
export type Traffic = Stream | Calls | Datagrams

export interface Story {
  readonly region: string
  readonly nodes: readonly StoryNode[]
  readonly hosts: readonly StoryHost[]
  readonly traffic: readonly Traffic[]
}

const shop = (kind: string, name: string): Owner => ({ namespace: 'shop', kind, name })
const WEB = shop('Deployment', 'web')
const CART = shop('Deployment', 'cart')

type Named = readonly [name: string, owner: Owner]

function nodeOf(letter: string, zone: number, pods: readonly Named[]): StoryNode {
  return {
    name: `node-${letter}`,
    zone: `us-east-1${letter}`,
    address: `10.0.${zone}.10`,
    address6: `fd00:0:${zone}::10`,
    pods: pods.map(([name, owner], index) => ({
      name,
      owner,
      address: `10.1.${zone}.${index + 2}`,
      address6: `fd01:0:${zone}::${index + 2}`,
    })),
  }
}

const stream = (from: string, to: string, port: number, bytesPerSecond: number): Stream => ({
  kind: 'stream',
  from,
  to,
  port,
  bytesPerSecond,
})

/** What istiod sends grows with what a proxy must know. */
const push = (to: string, bytesPerSecond: number): Stream => stream('istiod', to, 15012, bytesPerSecond)

function calls(from: string, to: string, perSecond: number, size: { port: number; request: number; response: number }): Calls {
  return { kind: 'calls', from, to, perSecond, ...size }
}

const cart = { port: 8080, request: 1_200, response: 9_000 }
const stock = { port: 9090, request: 600, response: 14_000 }
const checkout = { port: 7070, request: 6_000, response: 1_500 }
const recommend = { port: 6060, request: 800, response: 24_000 }
const statsd = (from: string, bytesPerSecond: number): Datagrams => ({
  kind: 'datagrams',
  from,
  to: 'statsd',
  port: 8125,
  bytesPerSecond,
  size: 480,
})

export const STORY: Story = {
  region: 'us-east-1',
  nodes: [
    nodeOf('a', 1, [
      ['istiod', { namespace: 'istio-system', kind: 'Deployment', name: 'istiod' }],
      ['web-a', WEB],
      ['cart-a', CART],
    ]),
    nodeOf('b', 2, [
      ['checkout', shop('Deployment', 'checkout')],
      ['recommend', shop('Deployment', 'recommendations')],
      ['statsd', { namespace: 'monitoring', kind: 'Deployment', name: 'statsd' }],
    ]),
    nodeOf('c', 3, [
      ['web-c', WEB],
      ['cart-c', CART],
      ['stock', shop('StatefulSet', 'stock')],
    ]),
  ],
  hosts: [
    {
      name: 'orders-db',
      address: '10.0.9.5',
      address6: 'fd00:0:9::5',
      zone: 'us-east-1b',
      owner: { namespace: '', kind: 'Database', name: 'orders-db' },
    },
    {
      name: 'payments',
      address: '198.51.100.7',
      address6: '2001:db8::7',
      owner: { namespace: '', kind: 'Service', name: 'payments.example.com' },
    },
  ],
  traffic: [
    push('recommend', 3_600_000),
    push('checkout', 3_100_000),
    push('web-c', 2_700_000),
    push('cart-c', 2_300_000),
    push('stock', 1_900_000),
    push('web-a', 2_700_000),
    push('cart-a', 2_300_000),
    calls('web-a', 'cart-a', 25, cart),
    calls('web-a', 'cart-c', 25, cart),
    calls('web-c', 'cart-a', 25, cart),
    calls('web-c', 'cart-c', 25, cart),
    { ...calls('web-a', 'recommend', 15, recommend), ipv6: true },
    { ...calls('web-c', 'recommend', 15, recommend), ipv6: true },
    calls('cart-a', 'stock', 25, stock),
    calls('cart-c', 'stock', 25, stock),
    calls('cart-a', 'checkout', 15, checkout),
    calls('cart-c', 'checkout', 15, checkout),
    calls('checkout', 'payments', 20, { port: 443, request: 9_000, response: 2_000 }),
    calls('stock', 'orders-db', 20, { port: 5432, request: 700, response: 48_000 }),
    statsd('web-a', 24_000),
    statsd('web-c', 24_000),
    statsd('cart-a', 48_000),
    { ...statsd('cart-c', 48_000), ipv6: true },
  ],
}

export const topologyOf = ({ nodes, hosts }: Story): TopologySpec => ({ nodes, hosts })

export const podsOf = ({ nodes }: Pick<Story, 'nodes'>): readonly StoryPod[] => nodes.flatMap(({ pods }) => pods)

/** inventory.yaml, which is the same on every node; JSON is YAML. */
export function renderInventory({ region, nodes, hosts }: Story): string {
  const both = ({ address, address6 }: Pick<StoryPod, 'address' | 'address6'>, rest: object): object[] => [
    { cidr: `${address}/32`, ...rest },
    { cidr: `${address6}/128`, ...rest },
  ]
  const ofOwner = ({ namespace, kind, name }: Owner): object => ({ ...(namespace && { namespace }), ownerKind: kind, ownerName: name })
  const entries = [
    ...nodes.flatMap((node) => {
      const { name, zone, pods } = node
      const here = { zone, region, node: name }
      return [
        ...both(node, { ...here, ownerKind: 'Node', ownerName: name }),
        ...pods.flatMap((pod) => both(pod, { ...here, ...ofOwner(pod.owner) })),
      ]
    }),
    ...hosts.flatMap((host) => both(host, { ...(host.zone ? { zone: host.zone, region } : { external: true }), ...ofOwner(host.owner) })),
  ]
  return `entries:\n${entries.map((entry) => `  - ${JSON.stringify(entry)}\n`).join('')}`
}

export function renderConfig({ region }: Story, { name, zone }: StoryNode): string {
  return `node: ${JSON.stringify({ name, zone, region })}
flows: {enabled: true}
inventory: {file: inventory.yaml}
`
}
