// The kernel's table in memory: it outlives the agent, rotates its sets and may be destroyed. It is read with the agent's own pair table,
// so that ids are handed out, held and used again as they are on a node.
import type { FlowReading, GenerationReading, KernelCounters } from '../../src/model/flows.js'
import { createPairs } from '../../src/sources/flows/pairs.js'
import { createTotals, type Totals } from '../../src/sources/flows/totals.js'

/** `translated`: source-translated on its way through. The others beside `plain` are never the bytes of a pair alone. */
export type Path = 'plain' | 'translated' | 'no room for via' | 'no room for pair' | 'tunnel'

export interface Packet {
  readonly source: string
  readonly destination: string
  readonly bytes: number
  readonly path: Path
  /** Has passed the second hook as well. */
  landed: boolean
}

interface Generation {
  readonly id: number
  isDetached: boolean
  readonly seen: Map<string, number>
  readonly via: Map<string, number>
}

interface Table {
  readonly epoch: string
  readonly startMs: number
  readonly counters: Record<keyof KernelCounters, number>
  generations: Generation[]
  nextId: number
}

export interface Kernel {
  readonly table: Table | undefined
  /** Everything that this table has counted, in order. */
  readonly packets: readonly Packet[]
  create(epoch: string, atMs: number): void
  destroy(): void
  send(packet: Omit<Packet, 'landed'>, isInFlight: boolean): void
  /** What is between the two hooks reaches the second, which counts in the generation of that moment. */
  land(): void
  /** Whether a packet of the address was between the two hooks when it was read, and nobody has written down yet that it passed the second. */
  isBetweenHooks(address: string): boolean
  /** What was read last is written down. */
  written(): void
  /** A packet takes less than a cycle from hook to hook: what was between them at the reading before has passed both. */
  beginReading(): void
  rotate(): void
  release(ids: readonly number[]): void
}

export interface Reader {
  read(atMs: number, gapMs: number): FlowReading
  release(ids: readonly number[]): void
}

const NOTHING = { observed: 0, tunnel: 0, overflow: 0, viaOverflow: 0 }
const pairKeyOf = (source: string, destination: string): string => `${source} ${destination}`
const add = (to: Map<string, number>, key: string, bytes: number): void => void to.set(key, (to.get(key) ?? 0) + bytes)

export function createKernel(): Kernel {
  let table: Table | undefined
  let packets: Packet[] = []
  /** Read there, and whether a later reading found it behind the second hook. */
  const between = new Map<Packet, boolean>()
  let inFlight: { packet: Packet; wasRead: boolean }[] = []

  const newGeneration = (id: number): Generation => ({ id, isDetached: false, seen: new Map(), via: new Map() })

  function land(which = inFlight): void {
    const live = table?.generations.at(-1)
    for (const { packet } of which) {
      packet.landed = true
      if (live) add(live.via, pairKeyOf(packet.source, packet.destination), packet.bytes)
    }
    inFlight = inFlight.filter((one) => !which.includes(one))
  }

  function count(packet: Packet, { counters, generations }: Table): void {
    const live = generations.at(-1)
    const { bytes, path } = packet
    counters.observed += bytes
    if (path === 'tunnel') counters.tunnel += bytes
    else if (path === 'no room for pair') counters.overflow += bytes
    else if (live) add(live.seen, pairKeyOf(packet.source, packet.destination), bytes)
    if (path === 'no room for via') counters.viaOverflow += bytes
    if (path === 'translated') inFlight.push({ packet, wasRead: false })
  }

  return {
    get table() {
      return table
    },
    get packets() {
      return packets
    },
    create(epoch, atMs) {
      table = { epoch, startMs: atMs, counters: { ...NOTHING }, generations: [newGeneration(1)], nextId: 2 }
      packets = []
      between.clear()
    },
    destroy() {
      table = undefined
      inFlight = []
    },
    send(sent, isInFlight) {
      if (!table) return
      const packet = { ...sent, landed: false }
      packets.push(packet)
      count(packet, table)
      if (!isInFlight) land()
    },
    land: () => land(),
    isBetweenHooks: (address) => [...between.keys()].some(({ source, destination }) => source === address || destination === address),
    written() {
      for (const [packet, hasPassed] of between) if (hasPassed) between.delete(packet)
    },
    beginReading() {
      for (const { packet } of inFlight) between.set(packet, false)
      land(inFlight.filter(({ wasRead }) => wasRead))
      for (const packet of between.keys()) if (packet.landed) between.set(packet, true)
      for (const one of inFlight) one.wasRead = true
    },
    rotate() {
      if (!table) return
      for (const generation of table.generations) generation.isDetached = true
      table.generations.push(newGeneration(table.nextId++))
      land()
    },
    release(ids) {
      if (table) table.generations = table.generations.filter(({ id }) => !ids.includes(id))
    },
  }
}

interface Held {
  readonly seen: Totals
  readonly via: Totals
}

/** Dies with the agent; another one numbers the pairs anew. */
export function createReader(kernel: Kernel, seed: number): Reader {
  const pairs = createPairs(seed)
  const held = new Map<number, Held>()
  let epoch = ''
  let dump = 0

  function drop(id: number): void {
    const totals = held.get(id)
    totals?.via.drop()
    totals?.seen.drop()
    held.delete(id)
  }

  function totalsOf(id: number): Held {
    const known = held.get(id)
    if (known) return known
    const made = { seen: createTotals(pairs), via: createTotals(pairs) }
    held.set(id, made)
    return made
  }

  function readingOf({ id, isDetached, seen, via }: Generation): GenerationReading {
    const totals = totalsOf(id)
    for (const [key, bytes] of via) totals.via.raise(pairs.intern(bytesOf(key), 0, 8), bytes, dump)
    for (const [key, bytes] of seen) totals.seen.raise(pairs.intern(bytesOf(key), 0, 8), bytes, dump)
    return { id, closed: isDetached, seen: totals.seen.column, via: totals.via.column }
  }

  return {
    read(atMs, gapMs) {
      const { table } = kernel
      if (!table) throw new Error('there is no table to read')
      if (table.epoch !== epoch) for (const id of [...held.keys()]) drop(id)
      epoch = table.epoch
      dump++
      return {
        kind: 'flows',
        epoch: table.epoch,
        epochStartMs: table.startMs,
        atMs,
        counters: { ...table.counters },
        pairs,
        generations: table.generations.map(readingOf),
        gapMs,
        unbrokenSinceMs: table.startMs,
        egress: { uplinks: 0, intoTunnels: 0, outerSent: 0 },
      }
    },
    release(ids) {
      kernel.release(ids)
      for (const id of ids) drop(id)
    },
  }
}

function bytesOf(key: string): Buffer {
  const [source = '', destination = ''] = key.split(' ')
  return Buffer.from([...source.split('.'), ...destination.split('.')].map(Number))
}
