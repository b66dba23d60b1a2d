// Who an address is: asked once for each new address of a pair, and for all of them whenever the inventory or the cluster changes.
import { createIdentity } from '../src/identity/identity.js'
import { addressAt } from '../src/lab/peer-protocol.js'
import type { InventoryEntry } from '../src/model.js'
import type { BenchOptions, Figure } from './figure.js'
import { median } from './statistics.js'

const ADDRESSES = 50_000

const CASES = [
  { what: 'IPv4, named by itself', first: '10.2.0.0' },
  { what: 'IPv4, in a named range', first: '10.64.0.0' },
  { what: 'IPv4, private and named by nobody', first: '172.16.0.0' },
  { what: 'IPv4, of the internet', first: '93.184.0.0' },
  { what: 'IPv6, named by itself', first: 'fd00:1::' },
  { what: 'IPv6, of the internet', first: '2606:4700:4700::' },
] as const

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const runs = quick ? 5 : 21
  const entries = entriesOf()
  const node = { name: 'n1', zone: 'us-east-1a', region: 'us-east-1' }
  const builds = Array.from({ length: runs }, () => timeOf(() => createIdentity({ node, entries, addresses: ['10.0.0.1'] })))
  yield { number: `names: building them from ${entries.length.toLocaleString('en-US')} entries`, unit: 'ms', measured: median(builds) }
  const identity = createIdentity({ node, entries, addresses: ['10.0.0.1', 'fe80::1'] })
  for (const { what, first } of CASES) {
    const addresses = Array.from({ length: ADDRESSES }, (_, index) => addressAt(first, index))
    const times = Array.from({ length: runs }, () => timeOf(() => addresses.map(identity.place)))
    yield { number: `names: placing an address, ${what}`, unit: 'ns', measured: (median(times) * 1e6) / ADDRESSES }
  }
}

function timeOf(action: () => unknown): number {
  const start = performance.now()
  action()
  return performance.now() - start
}

/** 10,000 pods of each address family, and ranges of nine lengths. */
function entriesOf(): readonly InventoryEntry[] {
  const pods = Array.from({ length: 10_000 }, (_, index) => [`${addressAt('10.2.0.0', index)}/32`, `${addressAt('fd00:1::', index)}/128`])
  const ranges = Array.from({ length: 2_000 }, (_, index) => `${addressAt('10.64.0.0', index * 256)}/${24 + (index % 9)}`)
  return [...pods.flat(), ...ranges].map((cidr, index) => ({
    cidr,
    zone: `us-east-1${'abc'[index % 3]}`,
    region: 'us-east-1',
    namespace: `namespace-${index % 40}`,
    ownerKind: 'Deployment',
    ownerName: `workload-${index % 500}`,
    node: `n${index % 100}`,
    external: false,
  }))
}
