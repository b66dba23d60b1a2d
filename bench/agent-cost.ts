// What the built agent takes of a node: CPU in its steady state, and memory, with no, 10,000, 50,000 and 100,000 live pairs.
// Every address is an owner of its own, so that the series budget of 10,000 is used up from 10,000 pairs on: more cannot be asked of it.
// All pairs have new bytes in every cycle of ten seconds, and a Prometheus scrapes every fifteen.
// A node and an agent for each number of pairs, side by side.
import { setTimeout as sleep } from 'node:timers/promises'
import { addressAt } from '../src/lab/peer-protocol.js'
import type { NodeSpec } from '../src/lab/plan.js'
import { createTopology, type Topology } from '../src/lab/topology.js'
import type { BenchOptions, Figure } from './figure.js'
import { type Entry, type NodeAgent, readUsage, startAgent } from './node-agent.js'
import { largest, median } from './statistics.js'
import { type Sender, startSender } from './volley.js'

interface Load {
  readonly pairs: number
  readonly core?: number
  readonly mebibytes: number
}

const LOADS: readonly Load[] = [
  { pairs: 0, mebibytes: 80 },
  { pairs: 10_000, core: 0.01, mebibytes: 95 },
  { pairs: 50_000, core: 0.03, mebibytes: 130 },
  { pairs: 100_000, mebibytes: 180 },
]

const SOURCES = 100
const MOST_DESTINATIONS = 1_000
const FIRST_DESTINATION = '10.2.0.0'
const CYCLE_MS = 10_000
const SCRAPE_MS = 15_000
/** The first generation of sets, which is not split, stands for a minute. */
const SETTLE_MS = 80_000
const WATCH_MS = 60_000
const SEEN_WITHIN_MS = 60_000

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const loads = quick ? LOADS.slice(0, 2) : LOADS
  const topology = await createTopology({ nodes: loads.map((_, index) => nodeOf(index)), hosts: [] })
  const nodes = await Promise.all(loads.map((load, index) => startNode(topology, load, index)))
  await sleep(quick ? 2_000 : SETTLE_MS)
  const watched = await Promise.all(nodes.map(({ agent }) => watch(agent, quick ? 15_000 : WATCH_MS)))
  await Promise.all(nodes.map(({ stop }) => stop()))
  await topology.close()
  yield* loads.flatMap((load, index) => cpuOf(load, watched[index] as Watched))
  yield* loads.map((load, index) => memoryOf(load, watched[index] as Watched))
}

const nodeOf = (index: number): NodeSpec => ({
  name: `n${index}`,
  zone: 'zone-1',
  address: `10.0.${index}.10`,
  pods: [{ name: `pod${index}`, address: `10.1.${index}.2`, ranges: [`10.${100 + index}.0.0/16`] }],
})

const firstSource = (index: number): string => `10.${100 + index}.0.0`

const entriesOf = (index: number): readonly Entry[] => [
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

interface Running {
  readonly agent: NodeAgent
  stop(): Promise<void>
}

async function startNode(topology: Topology, { pairs }: Load, index: number): Promise<Running> {
  const agent = await startAgent(topology, `n${index}`, entriesOf(index))
  const traffic = pairs === 0 ? undefined : await startTraffic(agent, { pairs, index })
  return {
    agent,
    async stop() {
      await traffic?.stop()
      await agent.stop()
    },
  }
}

const namedOf = ({ pairs }: Load): string => (pairs === 0 ? 'no pairs' : `${pairs.toLocaleString('en-US')} live pairs`)

function cpuOf(load: Load, { cores, scrapeBytes }: Watched): readonly Figure[] {
  const bar = load.core === undefined ? {} : { bar: { most: load.core } }
  const beside = `scrapes of ${(scrapeBytes / 1e6).toFixed(2)} MB as text`
  return [{ number: `agent CPU, ${namedOf(load)}`, unit: 'core', measured: cores, ...bar, beside }]
}

function memoryOf(load: Load, { rssMiB, usualMiB, peakMiB }: Watched): Figure {
  const beside = `median ${Math.round(usualMiB)}, VmHWM ${Math.round(peakMiB)} MiB`
  return { number: `agent memory (largest VmRSS), ${namedOf(load)}`, unit: 'MiB', measured: rssMiB, bar: { most: load.mebibytes }, beside }
}

/** Each pair once a cycle. Not all at once: the kernel has no counters at hand for that many new elements in an instant. */
async function startTraffic(agent: NodeAgent, { pairs, index }: { pairs: number; index: number }): Promise<{ stop(): Promise<void> }> {
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

interface Watched {
  readonly cores: number
  /** The largest of the time. */
  readonly rssMiB: number
  readonly usualMiB: number
  readonly peakMiB: number
  readonly scrapeBytes: number
}

async function watch({ pid, scrape }: NodeAgent, ms: number): Promise<Watched> {
  const rss: number[] = []
  let scrapeBytes = 0
  const before = await readUsage(pid)
  const start = performance.now()
  for (let second = 1; second <= ms / 1_000; second++) {
    if ((second * 1_000) % SCRAPE_MS === 0 || second === 1) scrapeBytes = (await scrape()).length
    await sleep(Math.max(0, start + second * 1_000 - performance.now()))
    rss.push((await readUsage(pid)).rssMiB)
  }
  const after = await readUsage(pid)
  const cores = (after.cpuSeconds - before.cpuSeconds) / ((performance.now() - start) / 1_000)
  return { cores, rssMiB: largest(rss), usualMiB: median(rss), peakMiB: after.peakMiB, scrapeBytes }
}
