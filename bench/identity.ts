// Who an address is: asked once for each new address of a pair, and for all of them whenever the inventory or the cluster changes.
// And what it takes to know: an inventory is read while scrapes and signals go on.
import { createIdentity } from '../src/identity/identity.js'
import { createInventoryParser } from '../src/inventory-parser.js'
import { addressAt } from '../src/lab/peer-protocol.js'
import type { InventoryEntry } from '../src/model.js'
import { createPauses } from '../src/pauses.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { CLOCK } from './flow-series.js'
import { median } from './statistics.js'
import { type Timing, timedOften } from './timing.js'

const ADDRESSES = 50_000
const READ_ENTRIES = 20_000
/** A thread does not inherit what runs TypeScript here. */
const WORKER = new URL('../dist/inventory-worker.js', import.meta.url)
const NODE = { name: 'n1', zone: 'us-east-1a', region: 'us-east-1' }

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
  const { pause } = createPauses(CLOCK)
  const build = () => createIdentity(NODE).update({ entries, addresses: ['10.0.0.1'] }, pause)
  yield* figuresOf(`building them from ${thousands(entries.length)} entries`, await timedOften(runs, build))
  yield* await readingOf(entries.slice(0, READ_ENTRIES), quick ? 2 : 5)
  const identity = createIdentity(NODE)
  await identity.update({ entries, addresses: ['10.0.0.1', 'fe80::1'] }, pause)
  for (const { what, first } of CASES) {
    const addresses = Array.from({ length: ADDRESSES }, (_, index) => addressAt(first, index))
    const times = Array.from({ length: runs }, () => timeOf(() => addresses.map(identity.place)))
    yield { number: `names: placing an address, ${what}`, unit: 'ns', measured: (median(times) * 1e6) / ADDRESSES }
  }
}

const thousands = (count: number): string => count.toLocaleString('en-US')

function figuresOf(what: string, timings: readonly Timing[]): readonly Figure[] {
  const cpu = median(timings.map(({ cpuMs }) => cpuMs))
  const measured = median(timings.map(({ wallMs }) => wallMs))
  return [{ number: `names: ${what}`, unit: 'ms', measured, beside: `CPU ${cpu.toFixed(1)} ms` }, blockFigure(what, timings)]
}

/** From the text to names that are in force, as the agent does it. */
async function readingOf(entries: readonly InventoryEntry[], runs: number): Promise<readonly Figure[]> {
  const parse = createInventoryParser({ worker: WORKER })
  const { pause } = createPauses(CLOCK)
  const read = async (text: string): Promise<void> => {
    const { entries, mistakes } = await parse(text, {})
    if (mistakes.length === 0) await createIdentity(NODE).update({ entries }, pause)
  }
  const json = JSON.stringify({ entries })
  const yaml = `entries:\n${entries.map((entry) => `  - ${lineOf(entry)}\n`).join('')}`
  const texts = { JSON: json, YAML: yaml, 'YAML with a mistake at its end': `${yaml}  - {cidr: 10.1.0.0/33}\n` }
  const figures: Figure[] = []
  for (const [what, text] of Object.entries(texts)) {
    figures.push(...figuresOf(`reading ${thousands(entries.length)} entries, ${what}`, await timedOften(runs, () => read(text))))
  }
  return figures
}

/** `{cidr: 10.2.0.0/32, zone: us-east-1a, ...}` */
function lineOf(entry: InventoryEntry): string {
  const fields = Object.entries(entry).map(([name, value]) => `${name}: ${String(value).includes(':') ? JSON.stringify(value) : value}`)
  return `{${fields.join(', ')}}`
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
