// Nodes with as many live pairs as wanted, each between two owners that no other pair has: all have new bytes in every cycle.
import { setTimeout as sleep } from 'node:timers/promises'
import { addressAt } from '../src/lab/peer-protocol.js'
import type { NodeSpec } from '../src/lab/plan.js'
import type { Entry, NodeAgent } from './node-agent.js'
import { type Sender, startSender } from './volley.js'

const SOURCES = 100
const MOST_DESTINATIONS = 1_000
const FIRST_DESTINATION = '10.2.0.0'
const CYCLE_MS = 10_000
const SEEN_WITHIN_MS = 60_000

export const nodeOf = (index: number): NodeSpec => ({
  name: `n${index}`,
  zone: 'zone-1',
  address: `10.0.${index}.10`,
  pods: [{ name: `pod${index}`, address: `10.1.${index}.2`, ranges: [`10.${100 + index}.0.0/16`] }],
})

const firstSource = (index: number): string => `10.${100 + index}.0.0`

export const entriesOf = (index: number): readonly Entry[] => [
  ...ownersOf(firstSource(index), SOURCES, { zone: 'zone-1', node: `n${index}` }),
  ...ownersOf(FIRST_DESTINATION, MOST_DESTINATIONS, { zone: 'zone-2', node: 'elsewhere' }),
]

function ownersOf(first: string, count: number, where: Pick<Entry, 'zone' | 'node'>): Entry[] {
  return Array.from({ length: count }, (_, index) => ({
    cidr: `${addressAt(first, index)}/32`,
    ...where,
    namespace: `namespace-${index % 20}`,
    ownerKind: 'Deployment',
    ownerName: `workload-${addressAt(first, index).replaceAll('.', '-')}`,
  }))
}

/** Each pair once a cycle. Not all at once: the kernel has no counters at hand for that many new elements in an instant. */
export async function startTraffic(
  agent: NodeAgent,
  { pairs, index }: { pairs: number; index: number },
): Promise<{ stop(): Promise<void> }> {
  const to = { to: FIRST_DESTINATION, destinations: pairs / SOURCES }
  const sender = startSender(`pod${index}`, { from: firstSource(index), sources: SOURCES, ...to, port: 9, size: 72 })
  const stopping = new AbortController()
  const trickling = trickle(sender, pairs, stopping.signal)
  await untilSeen(agent, pairs)
  return {
    async stop() {
      stopping.abort()
      await trickling
      await sender.stop()
    },
  }
}

async function trickle(sender: Sender, pairs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sender.ask({ packets: pairs, overMs: CYCLE_MS * 0.9 })
}

async function untilSeen(agent: NodeAgent, pairs: number): Promise<void> {
  const deadline = performance.now() + SEEN_WITHIN_MS
  for (;;) {
    const seen = Number(/^meshtoll_flow_pairs (\d+)/m.exec(await agent.scrape())?.[1])
    if (seen >= pairs) return
    if (performance.now() > deadline) throw new Error(`the agent sees ${seen} of ${pairs} pairs`)
    await sleep(1_100)
  }
}
