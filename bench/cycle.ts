// A whole cycle of the agent, in this process: read the kernel, post, write the journal. Real packets, every address an owner of its own.
//   this namespace, a node ── uplink ── far end that takes everything
import { execFileSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { createAgent } from '../src/agent/agent.js'
import type { Agent } from '../src/agent/parts.js'
import { defaultConfig } from '../src/config/config.js'
import { createDisk } from '../src/disk.js'
import { files } from '../src/files.js'
import { createInventoryParser } from '../src/inventory-parser.js'
import { loadLock } from '../src/kernel/lock.js'
import { loadNetlink } from '../src/kernel/netlink.js'
import { addressAt } from '../src/lab/peer-protocol.js'
import type { InventoryEntry } from '../src/model.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { CLOCK, SILENT } from './flow-series.js'
import { median } from './statistics.js'
import { type Timing, timed } from './timing.js'
import { type Sender, startSender } from './volley.js'

const SOURCES = 100
const FIRST_SOURCE = '10.1.0.0'
const FIRST_DESTINATION = '10.2.0.0'
/** After a minute more than 24,000 pairs move to split sets; the clock of the agent is set forward instead. */
const AGE_MS = 61_000

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  setUpNode()
  for (const pairs of quick ? [10_000] : [10_000, 50_000, 100_000]) yield* measurePairs(pairs, quick ? 3 : 11)
}

const ip = (...lines: readonly string[]): void => {
  for (const line of lines) execFileSync('ip', line.split(' '))
}

function setUpNode(): void {
  ip(
    'link set lo up',
    'link add uplink type veth peer name far',
    'link set uplink up',
    'link set far up',
    'addr add 10.0.0.1/24 dev uplink',
  )
  ip(
    'neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev uplink',
    'route add default via 10.0.0.9',
    `route add local ${FIRST_SOURCE}/16 dev lo`,
  )
}

async function* measurePairs(pairs: number, cycles: number): AsyncIterable<Figure> {
  const sender = startSender(undefined, {
    from: FIRST_SOURCE,
    sources: SOURCES,
    to: FIRST_DESTINATION,
    destinations: pairs / SOURCES,
    port: 9,
    size: 72,
  })
  const { agent, skip } = await createMeasuredAgent(pairs)
  await agent.start(AbortSignal.timeout(10_000))
  const cycle = async (): Promise<Timing> => {
    skip(1_100)
    return timed(() => agent.withSnapshot(async () => undefined))
  }
  await send(sender, pairs)
  const first = await cycle()
  // A new generation, its first read, and the last one of the generation before.
  skip(AGE_MS)
  const replacing: Timing[] = []
  for (let round = 0; round < 3; round++) {
    replacing.push(await cycle())
    await send(sender, pairs)
  }
  replacing.push(await cycle())
  const steady: Timing[] = []
  for (let round = 0; round < cycles; round++) {
    await send(sender, pairs)
    steady.push(await cycle())
  }
  await sender.stop()
  await agent.uninstall(AbortSignal.timeout(10_000))
  const named = `${pairs.toLocaleString('en-US')} pairs`
  yield* figuresOf(`first cycle, ${named} all new`, [first])
  yield* figuresOf(`cycle, ${named} in sets that are replaced`, replacing)
  yield* figuresOf(`cycle, ${named} with new bytes`, steady)
}

/** Slowly enough for the kernel to have counters at hand for new elements. */
const send = (sender: Sender, pairs: number): Promise<unknown> => sender.ask({ packets: pairs, overMs: pairs / 50 })

function figuresOf(what: string, timings: readonly Timing[]): readonly Figure[] {
  const cpu = median(timings.map(({ cpuMs }) => cpuMs))
  const wall: Figure = {
    number: what,
    unit: 'ms',
    measured: median(timings.map(({ wallMs }) => wallMs)),
    beside: `CPU ${cpu.toFixed(1)} ms`,
  }
  return [wall, blockFigure(what, timings)]
}

interface Measured {
  readonly agent: Agent
  /** Sets its clock forward, so that an answer is not taken for fresh. */
  skip(ms: number): void
}

async function createMeasuredAgent(pairs: number): Promise<Measured> {
  let skippedMs = 0
  const config = defaultConfig('n1')
  const deps = {
    clock: { ...CLOCK, monotonic: () => performance.now() + skippedMs },
    log: SILENT,
    openNetlink: await loadNetlink(),
    takeLock: await loadLock(),
    parseInventory: createInventoryParser(),
    ...files,
    random: () => crypto.randomUUID(),
    disk: createDisk(await mkdtemp('/run/lab/cycle-')),
    cpuUsage: () => process.cpuUsage(),
  }
  const host = { cpus: 2, memoryBytes: 2 ** 34, nodeVersion: process.version }
  const agent = createAgent({ config, inventory: { entries: entriesOf(pairs), text: '' }, environment: {}, host }, deps)
  return {
    agent,
    skip(ms) {
      skippedMs += ms
    },
  }
}

function entriesOf(pairs: number): readonly InventoryEntry[] {
  const ownersOf = (first: string, count: number, where: { readonly zone: string; readonly node: string }): InventoryEntry[] =>
    Array.from({ length: count }, (_, index) => {
      const address = addressAt(first, index)
      return {
        cidr: `${address}/32`,
        ...where,
        region: '',
        namespace: 'shop',
        ownerKind: 'Deployment',
        ownerName: address,
        external: false,
      }
    })
  const sources = ownersOf(FIRST_SOURCE, SOURCES, { zone: 'zone-1', node: 'n1' })
  return [...sources, ...ownersOf(FIRST_DESTINATION, pairs / SOURCES, { zone: 'zone-2', node: 'n2' })]
}
