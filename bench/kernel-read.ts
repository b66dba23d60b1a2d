// Reading the kernel: dumps of 10,000 and 100,000 elements in as many sets as the product keeps them in, against the nft program in the
// same run; the questions of every cycle; and writing a complete table.
import { execFileSync } from 'node:child_process'
import type { Command } from '../src/kernel/commands.js'
import { attribute, encodeMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, nested, text, uint64 } from '../src/kernel/message.js'
import { loadNetlink } from '../src/kernel/netlink.js'
import { createNftables, type Nftables } from '../src/kernel/nftables.js'
import { BATCH_BEGIN, BATCH_END, NFPROTO_INET, NFT, nfgenmsg, nftType } from '../src/kernel/nftables-encode.js'
import { installCommands, NOTHING, planOf } from '../src/sources/flows/layout.js'
import { shardsFor } from '../src/sources/flows/sizing.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { median } from './statistics.js'
import { timedOften, wallOften } from './timing.js'

const TABLE = 'bench'
const HOLD_MS = 5
const ELEMENTS_PER_MESSAGE = 500
const LOADS = [
  { elements: 10_000, bar: { most: 10 } },
  { elements: 100_000, bar: { most: 130 } },
] as const

type Socket = ReturnType<Awaited<ReturnType<typeof loadNetlink>>>

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const open = await loadNetlink()
  const nft = createNftables(open)
  const filler = open('netfilter')
  for (const { elements, bar } of quick ? LOADS.slice(0, 1) : LOADS) {
    const sets = shardsFor(elements)
    nft.commit(tableOf(sets))
    for (let set = 0; set < sets; set++) fill(filler, set, elements / sets)
    yield* dumpsOf(nft, { elements, sets, bar, runs: quick ? 5 : 21 })
    nft.commit([{ op: 'delete table', table: TABLE }])
  }
  yield* questionsOf(nft, quick ? 20 : 500)
}

interface Dumps {
  readonly elements: number
  readonly sets: number
  readonly bar: { readonly most: number }
  readonly runs: number
}

async function* dumpsOf(nft: Nftables, { elements, sets, bar, runs }: Dumps): AsyncIterable<Figure> {
  await dump(nft, sets)
  const walls = await wallOften(runs, () => dump(nft, sets))
  const timings = await timedOften(runs, () => dump(nft, sets))
  const named = `kernel read of ${elements.toLocaleString('en-US')} pairs`
  const cpu = median(timings.map(({ cpuMs }) => cpuMs))
  const nftMs = median(
    Array.from({ length: 3 }, () => timeOf(() => execFileSync('nft', ['-j', 'list', 'table', 'inet', TABLE], { maxBuffer: 2 ** 28 }))),
  )
  yield {
    number: `${named} (${sets} ${sets === 1 ? 'set' : 'sets'})`,
    unit: 'ms',
    measured: median(walls),
    bar,
    beside: `CPU ${cpu.toFixed(1)} ms; nft -j ${nftMs.toFixed(0)} ms`,
  }
  yield blockFigure(named, timings)
}

function* questionsOf(nft: Nftables, runs: number): Iterable<Figure> {
  const plan = planOf({ generation: 1, mode: 'full', shards: 16, limit: 1 << 17, tunnelPorts: [4789] })
  const commands: Command[] = [{ op: 'add table', table: TABLE, flags: 0, comment: '' }, ...installCommands(TABLE, plan, NOTHING, () => '')]
  const install = (): void => nft.commit(commands)
  const remove = (): void => nft.commit([{ op: 'delete table', table: TABLE }])
  const installs = Array.from({ length: Math.ceil(runs / 10) }, () => {
    const took = timeOf(install)
    remove()
    return took
  })
  yield { number: `kernel: writing a table of ${commands.length} parts`, unit: 'ms', measured: median(installs) }
  install()
  const questions = {
    'is the ruleset what it was': () => nft.generation(),
    [`the ${nft.rules(TABLE).length} rules of the table`]: () => nft.rules(TABLE),
    'its counters': () => nft.counters(TABLE),
  }
  for (const [what, ask] of Object.entries(questions)) {
    const times = Array.from({ length: runs }, () => timeOf(ask))
    yield { number: `kernel: asking, ${what}`, unit: 'us', measured: median(times) * 1_000 }
  }
  remove()
}

function timeOf(action: () => unknown): number {
  const start = performance.now()
  action()
  return performance.now() - start
}

/** As a cycle reads them: whatever takes longer gives the loop a turn. */
async function dump(nft: Nftables, sets: number): Promise<void> {
  let awake = performance.now()
  const rest = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    awake = performance.now()
  }
  const pause = (): Promise<void> | undefined => (performance.now() - awake < HOLD_MS ? undefined : rest())
  let sum = 0
  const onElement = (_buffer: Buffer, _offset: number, _length: number, bytes: number): void => {
    sum += bytes
  }
  for (let set = 0; set < sets; set++) await nft.dumpSet({ table: TABLE, set: `s${set}`, onElement, pause })
  if (sum === 0) throw new Error('nothing was read')
}

const tableOf = (sets: number): Command[] => [
  { op: 'add table', table: TABLE, flags: 0, comment: '' },
  ...Array.from(
    { length: sets },
    (_, set): Command => ({ op: 'add set', table: TABLE, name: `s${set}`, keyType: 'ipv4 pair', size: 1 << 17, timeoutMs: 0 }),
  ),
]

/** Elements as traffic would leave them: keyed by pair, with a counter. */
function fill(socket: Socket, set: number, count: number): void {
  const buffer = Buffer.alloc(65536)
  for (let from = 0; from < count; from += ELEMENTS_PER_MESSAGE) {
    const elements = Array.from({ length: Math.min(ELEMENTS_PER_MESSAGE, count - from) }, (_, index) => elementOf(set, from + index))
    const body = Buffer.concat([nfgenmsg(NFPROTO_INET), text(1, TABLE), text(2, `s${set}`), nested(3, ...elements)])
    const add = { type: nftType(NFT.newElement), flags: NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, body }
    socket.send(Buffer.concat([encodeMessage(BATCH_BEGIN, 1), encodeMessage(add, 2), encodeMessage(BATCH_END, 3)]))
    while (socket.receive(buffer) > 0) if (buffer.readInt32LE(16) !== 0) throw new Error(`fill: errno ${-buffer.readInt32LE(16)}`)
  }
}

function elementOf(set: number, index: number): Buffer {
  const key = Buffer.alloc(8)
  key.writeUInt32BE(0x0a000000 + index, 0)
  key.writeUInt32BE(0x0b000000 + set, 4)
  const counter = nested(7, text(1, 'counter'), nested(2, uint64(1, 1000 + index), uint64(2, 1)))
  return nested(1, nested(1, attribute(1, key)), counter)
}
