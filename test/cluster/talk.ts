// A pod on each of three nodes, each of which sends to the two others.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Agents } from '../lab/agents.js'
import { eventually } from '../lab/world.js'
import { type ClusterLab, type ClusterLabOptions, createClusterLab } from './agents.js'
import type { KubeObject } from './client.js'

const PODS = [
  { name: 'cart-0', address: '10.1.1.2', node: 'n1', deployment: 'cart' },
  { name: 'stock-0', address: '10.1.2.2', node: 'n2', deployment: 'stock' },
  { name: 'web-0', address: '10.1.3.2', node: 'n3', deployment: 'web' },
]
const IN = { n1: 'p1a', n2: 'p2a', n3: 'p3a' } as const
/** Of a datagram, without its 28 bytes of headers. */
export const SIZE = 500

export const says = (agents: Agents, words: RegExp): Promise<true> =>
  eventually(String(words), () => (agents.all.every((agent) => words.test(agent.log())) ? true : undefined), 30_000)

export async function createTalkers(t: Test, options?: ClusterLabOptions): Promise<ClusterLab> {
  const lab = await createClusterLab(t, options)
  for (const pod of PODS) await lab.createPod(pod)
  for (const peer of Object.values(IN)) await lab.topology.peer(peer).listenUdp({ port: 9 })
  return lab
}

/** Names of the Leases by which agents say that they post what their pods send. */
export async function leasesOf({ cluster, account }: ClusterLab): Promise<readonly string[]> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${account.namespace}/leases`
  const { items } = (await cluster.admin.send('GET', path)) as unknown as { readonly items: readonly KubeObject[] }
  return items.map(({ metadata }) => metadata.name).sort()
}

/** Each pod sends to the two others. */
export async function talk({ topology }: ClusterLab, packets: number): Promise<void> {
  const addresses = PODS.map(({ address }) => address)
  await Promise.all(
    Object.values(IN).map((peer, index) =>
      topology.peer(peer).sendUdp({ to: addresses.filter((_, other) => other !== index), port: 9, size: SIZE, packets }),
    ),
  )
}

export async function talkUntil(lab: ClusterLab, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await talk(lab, 20)
    await sleep(20)
  }
}
