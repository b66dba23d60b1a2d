// What was really sent, by whoever sends first: pods and hosts by their only device, processes of nodes by a rule before all others.
import { sentIpBytes } from '../../src/lab/counters.js'
import { countHostOutput } from '../../src/lab/features.js'
import type { Topology } from '../../src/lab/topology.js'
import { eventually } from './world.js'

export interface Truth {
  /** IP bytes that this pod, host, or node's own processes have sent since the truth was asked for; once it sends no more. */
  sentBy(name: string): Promise<number>
  /** By all of them. */
  total(): Promise<number>
}

const SILENT_MS = 200

export async function createTruth(topology: Topology): Promise<Truth> {
  const { nodes, hosts } = topology.spec
  const ends = [...hosts, ...nodes.flatMap(({ pods }) => pods)].map(({ name }) => name)
  const counters = new Map<string, () => Promise<number>>()
  for (const { name } of nodes) counters.set(name, await countHostOutput(topology, name))
  for (const name of ends) counters.set(name, await countDevice(topology, name))

  async function sentBy(name: string): Promise<number> {
    const count = counters.get(name)
    if (!count) throw new Error(`nobody is called ${name}`)
    let last = Number.NaN
    let sinceMs = 0
    return eventually(`silence of ${name}`, async () => {
      const bytes = await count()
      if (bytes !== last) sinceMs = performance.now()
      last = bytes
      return performance.now() - sinceMs >= SILENT_MS ? bytes : undefined
    })
  }

  return {
    sentBy,
    async total() {
      const sent = await Promise.all([...counters.keys()].map(sentBy))
      return sent.reduce((sum, bytes) => sum + bytes, 0)
    },
  }
}

async function countDevice(topology: Topology, name: string): Promise<() => Promise<number>> {
  const start = sentIpBytes(await topology.device(name))
  return async () => sentIpBytes(await topology.device(name)) - start
}
