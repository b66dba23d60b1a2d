// Reading the kernel: dumps of 10,000 and 100,000 elements, the questions of every cycle, and writing a complete table.
//   npx tsx bench/kernel-read.ts
import { spawnSync } from 'node:child_process'
import type { Command } from '../src/kernel/commands.js'
import { attribute, encodeMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, nested, text, uint64 } from '../src/kernel/message.js'
import { loadNetlink } from '../src/kernel/netlink.js'
import { createNftables } from '../src/kernel/nftables.js'
import { BATCH_BEGIN, BATCH_END, NFPROTO_INET, NFT, nfgenmsg, nftType } from '../src/kernel/nftables-encode.js'
import { commands as completeTable } from '../test/kernel/complete-table.js'
import { kernelAvailable } from '../test/kernel/kernel-available.js'

const INSIDE = 'MESHTOLL_BENCH_NAMESPACE'
const TABLE = 'bench'
const TIMEOUT_MS = 365 * 86_400_000
const RUNS = 15
const PAUSE_AFTER_MS = 5
const ELEMENTS_PER_MESSAGE = 500

function enter(): void {
  const kernel = kernelAvailable()
  if ('reason' in kernel) throw new Error(kernel.reason)
  const [command = '', ...args] = [...kernel.enter, process.execPath, ...process.execArgv, import.meta.filename]
  process.exitCode = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } }).status ?? 1
}

async function measure(): Promise<void> {
  const open = await loadNetlink()
  const nftables = createNftables(open)
  const filler = open('netfilter')
  for (const [count, sets] of [
    [10_000, 1],
    [10_000, 16],
    [100_000, 1],
    [100_000, 16],
  ] as const) {
    nftables.commit(tableOf(sets))
    for (let set = 0; set < sets; set++) fill(filler, set, Math.ceil(count / sets))
    print(`${count} elements in ${sets} sets`, await dumpTimes(nftables, sets))
    nftables.commit([{ op: 'delete table', table: TABLE }])
  }
  print(
    'generation',
    repeat(2000, () => nftables.generation()),
  )
  nftables.commit(completeTable)
  print(
    `rules of a table with ${nftables.rules('ours').length}`,
    repeat(500, () => nftables.rules('ours')),
  )
  print(
    'named counters',
    repeat(500, () => nftables.counters('ours')),
  )
  nftables.commit([{ op: 'delete table', table: 'ours' }])
  const install = repeat(
    100,
    () => nftables.commit(completeTable),
    () => nftables.commit([{ op: 'delete table', table: 'ours' }]),
  )
  print(`commit of ${completeTable.length} commands`, install)
  process.exit(0)
}

const tableOf = (sets: number): Command[] => [
  { op: 'add table', table: TABLE, flags: 0, comment: '' },
  ...Array.from(
    { length: sets },
    (_, set): Command => ({ op: 'add set', table: TABLE, name: `s${set}`, keyType: 'ipv4 pair', size: 1 << 17, timeoutMs: TIMEOUT_MS }),
  ),
]

/** Elements as traffic would leave them: keyed by pair, with a counter. */
function fill(socket: ReturnType<Awaited<ReturnType<typeof loadNetlink>>>, set: number, count: number): void {
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

interface Times {
  readonly wallMs: readonly number[]
  readonly cpuMs?: readonly number[]
  readonly longestBlockMs?: number
}

async function dumpTimes(nftables: ReturnType<typeof createNftables>, sets: number): Promise<Times> {
  const wallMs: number[] = []
  const cpuMs: number[] = []
  let longestBlockMs = 0
  for (let run = 0; run < RUNS; run++) {
    const cpu = process.cpuUsage()
    const start = performance.now()
    let awake = start
    const pause = (): Promise<void> | undefined => {
      const held = performance.now() - awake
      longestBlockMs = Math.max(longestBlockMs, held)
      if (held < PAUSE_AFTER_MS) return undefined
      return new Promise((resolve) =>
        setImmediate(() => {
          awake = performance.now()
          resolve()
        }),
      )
    }
    let sum = 0
    const onElement = (_buffer: Buffer, _offset: number, _length: number, bytes: number): void => {
      sum += bytes
    }
    for (let set = 0; set < sets; set++) await nftables.dumpSet({ table: TABLE, set: `s${set}`, onElement, pause })
    if (sum === 0) throw new Error('nothing was read')
    wallMs.push(performance.now() - start)
    const { user, system } = process.cpuUsage(cpu)
    cpuMs.push((user + system) / 1000)
  }
  return { wallMs, cpuMs, longestBlockMs }
}

function repeat(times: number, action: () => void, undo: () => void = () => undefined): Times {
  const wallMs = Array.from({ length: times }, () => {
    const start = performance.now()
    action()
    const took = performance.now() - start
    undo()
    return took
  })
  return { wallMs }
}

function print(what: string, { wallMs, cpuMs, longestBlockMs }: Times): void {
  const parts = [`first ${format(wallMs[0] ?? 0)}`, `median ${format(median(wallMs))}`, `max ${format(Math.max(...wallMs))}`]
  if (cpuMs) parts.push(`cpu ${format(median(cpuMs))}`)
  if (longestBlockMs !== undefined) parts.push(`longest block ${format(longestBlockMs)}`)
  process.stdout.write(`${what.padEnd(34)} ${parts.join('  ')}\n`)
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const format = (ms: number): string => (ms < 1 ? `${Math.round(ms * 1000)} us` : `${ms.toFixed(1)} ms`)

if (process.env[INSIDE]) await measure()
else enter()
