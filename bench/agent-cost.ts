// What the built agent takes of a node: CPU in its steady state, and memory, with no, 10,000, 50,000 and 100,000 live pairs.
// Every address is an owner of its own, so that the series budget of 10,000 is used up from 10,000 pairs on: more cannot be asked of it.
// All pairs have new bytes in every cycle of ten seconds, and a Prometheus scrapes every fifteen.
import { setTimeout as sleep } from 'node:timers/promises'
import { addressAt } from '../src/lab/peer-protocol.js'
import { createTopology, type Topology } from '../src/lab/topology.js'
import type { BenchOptions, Figure } from './figure.js'
import { type Entry, type NodeAgent, readUsage, startAgent } from './node-agent.js'
import { largest } from './statistics.js'
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
const FIRST_SOURCE = '10.1.129.0'
const FIRST_DESTINATION = '10.2.0.0'
const CYCLE_MS = 10_000
const SCRAPE_MS = 15_000
/** The kernel's sets are split in the first cycles of many pairs. */
const SETTLE_MS = 25_000
const SEEN_WITHIN_MS = 30_000

const ENTRIES: readonly Entry[] = [
  ...ownersOf(FIRST_SOURCE, SOURCES, { zone: 'zone-1', node: 'n1' }),
  ...ownersOf(FIRST_DESTINATION, MOST_DESTINATIONS, { zone: 'zone-2', node: 'n2' }),
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

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const topology = await createTopology({
    nodes: [{ name: 'n1', zone: 'zone-1', address: '10.0.1.10', pods: [{ name: 'pod', address: '10.1.0.2', ranges: ['10.1.128.0/17'] }] }],
    hosts: [],
  })
  for (const load of quick ? LOADS.slice(0, 2) : LOADS)
    yield* measureLoad(topology, load, quick ? { settleMs: 2_000, watchMs: 10_000 } : { settleMs: SETTLE_MS, watchMs: 60_000 })
  await topology.close()
}

interface Times {
  readonly settleMs: number
  readonly watchMs: number
}

async function* measureLoad(topology: Topology, { pairs, core, mebibytes }: Load, { settleMs, watchMs }: Times): AsyncIterable<Figure> {
  const agent = await startAgent(topology, 'n1', ENTRIES)
  const traffic = pairs === 0 ? undefined : await startTraffic(agent, pairs)
  await sleep(pairs === 0 ? settleMs / 2 : settleMs)
  const { cores, rssMiB, peakMiB, scrapeBytes } = await watch(agent, watchMs)
  await traffic?.stop()
  await agent.uninstall()
  const named = pairs === 0 ? 'no pairs' : `${pairs.toLocaleString('en-US')} live pairs`
  const beside = `scrape ${(scrapeBytes / 1e6).toFixed(2)} MB of text`
  yield { number: `agent CPU, ${named}`, unit: 'core', measured: cores, ...(core === undefined ? {} : { bar: { most: core } }), beside }
  yield {
    number: `agent memory (VmRSS), ${named}`,
    unit: 'MiB',
    measured: rssMiB,
    bar: { most: mebibytes },
    beside: `VmHWM ${Math.round(peakMiB)} MiB`,
  }
}

/** All pairs at once, until the agent has seen them; then all of them again and again, each once a cycle. */
async function startTraffic(agent: NodeAgent, pairs: number): Promise<{ stop(): Promise<void> }> {
  const to = { to: FIRST_DESTINATION, destinations: pairs / SOURCES }
  const sender = startSender('pod', { from: FIRST_SOURCE, sources: SOURCES, ...to, port: 9, size: 72 })
  await sender.ask({ packets: pairs })
  await untilSeen(agent, pairs)
  const stopping = new AbortController()
  const trickling = trickle(sender, pairs, stopping.signal)
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
  return { cores, rssMiB: largest(rss), peakMiB: after.peakMiB, scrapeBytes }
}
