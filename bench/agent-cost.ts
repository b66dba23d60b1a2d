// What the built agent takes of a node: CPU in its steady state, and memory, with no, 10,000, 50,000 and 100,000 live pairs.
// Every address is an owner of its own, so that the series budget of 10,000 is used up from 10,000 pairs on: more cannot be asked of it.
// All pairs have new bytes in every cycle of ten seconds, and a Prometheus scrapes every fifteen.
// A node and an agent for each number of pairs, side by side.
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopology, type Topology } from '../src/lab/topology.js'
import type { BenchOptions, Figure } from './figure.js'
import { type NodeAgent, readUsage, startAgent } from './node-agent.js'
import { entriesOf, nodeOf, startTraffic } from './pairs.js'
import { largest, median } from './statistics.js'

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

const SCRAPE_MS = 15_000
/** The first generation of sets, which is not split, stands for a minute. */
const SETTLE_MS = 80_000
const WATCH_MS = 60_000

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

interface Running {
  readonly agent: NodeAgent
  stop(): Promise<void>
}

async function startNode(topology: Topology, { pairs }: Load, index: number): Promise<Running> {
  const agent = await startAgent(topology, `n${index}`, { entries: entriesOf(index) })
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
