// What the push to Datadog costs: the built agent with it and without it, side by side, at a local intake that takes all there is; and one
// flush by itself, in this process. Every pair has new bytes in every cycle, so each flush sends all series.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopology, type Topology } from '../src/lab/topology.js'
import { type Asked, startAsked } from './asked.js'
import { flushFigures } from './datadog-flush.js'
import type { BenchOptions, Figure } from './figure.js'
import type { IntakeAnswer } from './intake-server.js'
import { type NodeAgent, readUsage, startAgent } from './node-agent.js'
import { entriesOf, nodeOf, startTraffic } from './pairs.js'
import { largest, median } from './statistics.js'

interface Load {
  readonly pairs: number
  readonly pushes: readonly (Push | undefined)[]
}

interface Push {
  readonly what: string
  readonly maxSeries: number
  /** Of memory; where there is one. */
  readonly mebibytes?: number
}

const LOADS: readonly Load[] = [
  {
    pairs: 10_000,
    pushes: [
      undefined,
      { what: '10,000 pairs, 2,000 series of them sent', maxSeries: 2_000, mebibytes: 10 },
      { what: '10,000 pairs, all sent', maxSeries: 50_000, mebibytes: 10 },
    ],
  },
  { pairs: 100_000, pushes: [undefined, { what: '100,000 pairs, all sent', maxSeries: 200_000 }] },
]
const MOST_BLOCK_MS = 20
const FLUSH_MS = 30_000
const SETTLE_MS = 90_000
const WATCH_MS = 120_000
const BYTES = 1 << 20

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  for (const load of quick ? LOADS.slice(0, 1) : LOADS) yield* await compare(load, quick)
  yield* flushFigures({ quick })
}

async function compare({ pairs, pushes }: Load, quick: boolean): Promise<readonly Figure[]> {
  const topology = await createTopology({ nodes: pushes.map((_, index) => nodeOf(index)), hosts: [] })
  const nodes = await Promise.all(pushes.map((push, index) => startNode(topology, { pairs, push, index })))
  await sleep(quick ? 10_000 : SETTLE_MS)
  const [without, ...others] = await Promise.all(nodes.map((node) => watch(node, quick ? 40_000 : WATCH_MS)))
  await Promise.all(nodes.map(({ stop }) => stop()))
  await topology.close()
  return others.flatMap((watched, index) => figuresOf(pushes[index + 1] as Push, { watched, without: without as Watched }))
}

interface Running {
  readonly agent: NodeAgent
  readonly loopFile: string
  readonly intake: Asked<object, IntakeAnswer> | undefined
  stop(): Promise<void>
}

interface NodeSpec {
  readonly pairs: number
  readonly push: Push | undefined
  readonly index: number
}

async function startNode(topology: Topology, { pairs, push, index }: NodeSpec): Promise<Running> {
  const name = `n${index}`
  const loopFile = `/run/lab/loop-${pairs}-${index}`
  const intake = push && startAsked<object, IntakeAnswer>(name, 'intake-server.ts')
  const url = `http://127.0.0.1:${(await intake?.ask({}))?.port}`
  const options = {
    series: { limit: Math.max(10_000, pairs) },
    ...(push ? { datadog: { enabled: true, url, maxSeries: push.maxSeries } } : {}),
  }
  const agent = await startAgent(topology, name, {
    entries: entriesOf(index),
    options,
    environment: { DD_API_KEY: 'k'.repeat(32) },
    loopFile,
  })
  const traffic = await startTraffic(agent, { pairs, index })
  return {
    agent,
    loopFile,
    intake,
    async stop() {
      await traffic.stop()
      await agent.stop()
      await intake?.stop()
    },
  }
}

/** As loop-watch.js says it. */
interface Second {
  readonly blockMs: number
  readonly blockCpuMs: number
  readonly rss: number
  readonly heapTotal: number
  readonly heapUsed: number
  readonly external: number
}

interface Watched {
  readonly cores: number
  readonly seconds: readonly Second[]
  readonly peakMiB: number
  readonly requests: number
  readonly bytes: number
}

async function watch({ agent, loopFile, intake }: Running, ms: number): Promise<Watched> {
  const secondsSoFar = async (): Promise<readonly Second[]> =>
    (await readFile(loopFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Second)
  const { length } = await secondsSoFar()
  const [before, sent, start] = [await readUsage(agent.pid), await intake?.ask({}), performance.now()]
  await sleep(ms)
  const [after, sentNow] = [await readUsage(agent.pid), await intake?.ask({})]
  return {
    cores: (after.cpuSeconds - before.cpuSeconds) / ((performance.now() - start) / 1_000),
    seconds: (await secondsSoFar()).slice(length),
    peakMiB: after.peakMiB,
    requests: (sentNow?.requests ?? 0) - (sent?.requests ?? 0),
    bytes: (sentNow?.bytes ?? 0) - (sent?.bytes ?? 0),
  }
}

const mostOf = ({ seconds }: Watched, name: keyof Second): number => largest(seconds.map((second) => second[name]))
const usualOf = ({ seconds }: Watched, name: keyof Second): number => median(seconds.map((second) => second[name]))
const mebibytes = (bytes: number): number => Math.round(bytes / BYTES)

function figuresOf(
  { what, ...bars }: Push,
  { watched, without }: { readonly watched: Watched; readonly without: Watched },
): readonly Figure[] {
  const [usual, usualWithout] = [usualOf(watched, 'rss'), usualOf(without, 'rss')]
  const heap = `heap ${mebibytes(usualOf(watched, 'heapUsed'))} of ${mebibytes(usualOf(watched, 'heapTotal'))}`
  const heapWithout = `without ${mebibytes(usualOf(without, 'heapUsed'))} of ${mebibytes(usualOf(without, 'heapTotal'))} MiB`
  const flushes = (watched.seconds.length * 1_000) / FLUSH_MS
  return [
    {
      number: `Datadog push, memory (median RSS): ${what}`,
      unit: 'MiB',
      measured: (usual - usualWithout) / BYTES,
      ...(bars.mebibytes === undefined ? {} : { bar: { most: bars.mebibytes } }),
      beside: `${mebibytes(usual)} less ${mebibytes(usualWithout)} MiB; ${heap}, ${heapWithout}; largest ${mebibytes(mostOf(watched, 'rss'))} less ${mebibytes(mostOf(without, 'rss'))}, VmHWM ${Math.round(watched.peakMiB)} MiB`,
    },
    {
      number: `longest block of the loop, Datadog push: ${what}`,
      unit: 'ms',
      measured: mostOf(watched, 'blockMs'),
      bar: { most: MOST_BLOCK_MS },
      beside: `CPU ${mostOf(watched, 'blockCpuMs').toFixed(1)} ms; without it ${mostOf(without, 'blockMs').toFixed(1)}, CPU ${mostOf(without, 'blockCpuMs').toFixed(1)} ms`,
    },
    {
      number: `Datadog push, CPU: ${what}`,
      unit: 'core',
      measured: watched.cores - without.cores,
      beside: `each flush ${(watched.requests / flushes).toFixed(1)} requests, ${Math.round(watched.bytes / flushes / 1_000)} kB`,
    },
  ]
}
