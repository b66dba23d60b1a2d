// An agent's cycle around the ledger, step by step, so that it can be killed between any two of them; and everything that may happen to
// the node meanwhile. After every step what is served is compared with the oracle and with what was served before.
import assert from 'node:assert/strict'
import type { Clock, Log } from '../../src/deps.js'
import { createJournal, type Journal } from '../../src/ledger/journal.js'
import { createLedger, type Ledger } from '../../src/ledger/ledger.js'
import type { State } from '../../src/ledger/state.js'
import type { Placement, Stretch } from '../../src/model.js'
import type { ModelDisk } from './disk-model.js'
import { createModelDisk, type DiskMode } from './disk-model.js'
import { type Apart, createModelIdentity, type ModelIdentity } from './identity-model.js'
import type { Kernel, Path, Reader } from './kernel-model.js'
import { createKernel, createReader } from './kernel-model.js'
import type { Booked, OracleReading } from './oracle.js'
import { bookEpoch, bookReading, copyOf, nothingBooked } from './oracle.js'
import { createWitness, type Witness } from './witness.js'

/** The step after which the agent is killed, if it comes to it. */
export type KillAfter =
  | 'nothing'
  | 'announcing'
  | 'creating the table'
  | 'reading'
  | 'posting'
  | 'keeping'
  | 'half of the write'
  | 'writing'
  | 'releasing'

interface Packet {
  readonly from: string
  readonly to: string
  readonly bytes: number
  readonly path: Path
  readonly isInFlight: boolean
}

export type Action =
  | ({ readonly do: 'send' } & Packet)
  /** `meanwhile`: traffic between the reading and the posting. */
  | { readonly do: 'cycle'; readonly killAfter: KillAfter; readonly tearAt: number; readonly meanwhile: Packet }
  /** `meanwhile`: whose the bytes are that came since the last reading, where that is not who it was. */
  | {
      readonly do: 'place'
      readonly address: string
      readonly placement: Placement
      readonly meanwhile?: Placement | undefined
      readonly apart?: (Omit<Apart, 'atMs'> & { readonly agoMs: number }) | undefined
    }
  | { readonly do: 'rotate' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'set the clock back' }
  | { readonly do: 'kill' }
  | { readonly do: 'stop'; readonly killAfter: KillAfter; readonly tearAt: number }
  | { readonly do: 'destroy the table' }
  | { readonly do: 'delete a set' }
  | { readonly do: 'disk'; readonly mode: DiskMode }
  | { readonly do: 'remove the state' }
  | { readonly do: 'garble the state'; readonly at: number }

export interface WorldOptions {
  readonly limit: number
  readonly idleMs: number
  readonly places: ReadonlyMap<string, Placement>
}

export interface World {
  run(action: Action): Promise<void>
  /** Readings at rest: nothing is in flight any more. */
  settle(): Promise<void>
  readonly ledger: Ledger | undefined
}

interface Agent {
  readonly ledger: Ledger
  readonly journal: Journal
  readonly reader: Reader
  /** What the agent before had read; undefined after the first reading. */
  before: OracleReading['before']
  /** When the last reading began. */
  sinceMs: number
}

const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const EXCUSES: readonly Action['do'][] = ['disk', 'remove the state', 'garble the state', 'delete a set']
const HOUR_MS = 3_600_000

export class Killed extends Error {}

interface Parts {
  readonly kernel: Kernel
  readonly disk: ModelDisk
  readonly identity: ModelIdentity
  readonly witness: Witness
  readonly clock: Clock
}

export function createWorld({ limit, idleMs, places }: WorldOptions): World {
  let wallMs = 1_763_715_600_000
  let monotonicMs = 5_000
  const clock: Clock = { now: () => wallMs, monotonic: () => monotonicMs, sleep: async () => undefined }
  const parts: Parts = {
    kernel: createKernel(),
    disk: createModelDisk(),
    identity: createModelIdentity(places),
    witness: createWitness({ limit, idleMs }),
    clock,
  }
  const { kernel, disk, identity, witness } = parts
  let agent: Agent | undefined
  let epochs = 0
  let lastReadMs = 0
  let booked: Booked = nothingBooked()
  /** What the state file stands for. `isLast`: nothing was served since, and the table, if there is one, has counted nothing that was. */
  let durable = { booked: nothingBooked(), live: [] as readonly number[], isLast: false, version: -1 }
  /** Packets that the last reading had found of which that is written down. */
  /** Of the last reading, by generation. */
  let pairs: readonly (readonly [number, string[]])[] = []
  let kept = { next: 0, epoch: '', pairs, atMs: 0, came: new Map<number, Stretch | undefined>() }
  /** Served although it could not be written down. */
  let isAhead = false
  /** State or sets were lost, or could not be kept. */
  let isExcused = false
  let plan: { killAfter: KillAfter; tearAt: number } = { killAfter: 'nothing', tearAt: 0 }

  function passed(step: KillAfter): void {
    if (plan.killAfter === step) throw new Killed()
  }

  /** Returns whether the state file stands for what is booked now. */
  async function write(doing: Agent, attempt: () => Promise<boolean>, isLast: boolean): Promise<boolean> {
    const isTearing = plan.killAfter === 'half of the write' && disk.mode === 'works'
    if (isTearing) disk.tearNextAt(plan.tearAt)
    const isWritten = await attempt()
    const { tornWrite } = disk
    disk.heal()
    if (isWritten || tornWrite === 'whole') {
      const { epoch, live } = (await doing.ledger.state()).head
      kernel.written()
      durable = { booked: { ...copyOf(booked), epoch }, live, isLast, version: identity.version }
      isAhead = false
      witness.scrape(doing.ledger, { booked, clock })
    }
    if (tornWrite !== 'none') throw new Killed()
    return isWritten
  }

  async function start(): Promise<Agent> {
    disk.heal()
    lastReadMs = 0
    const journal = createJournal({ clock, disk, log: SILENT })
    const state = await journal.load()
    const ledger = createLedger({ limit, idleMs }, { clock, log: SILENT }, state)
    const isKept = disk.files.has('ledger.last-read') && kept.epoch === state?.head.epoch
    assert.ok(state?.lastRead || isExcused || !isKept, 'what was read is not forgotten')
    agent = {
      ledger,
      journal,
      reader: createReader(kernel, epochs),
      before: beforeOf(state),
      sinceMs: state?.lastRead?.readAtMs ?? state?.head.atMs ?? 0,
    }
    const isWhole = disk.files.has('ledger.journal')
    const isUsable = !disk.isDamaged && (isWhole || disk.files.has('ledger.journal.resumed'))
    if (!isWhole) durable = { ...durable, isLast: false }
    if (isAhead) witness.forget('what came last')
    isAhead = false
    booked = copyOf(durable.booked)
    booked.pending = booked.pending.map((one) => ({ ...one, came: undefined }))
    if (isUsable && isContinued()) return agent
    assert.ok(isExcused || !kernel.table, 'totals start over only when something was lost')
    forgetAll()
    return agent
  }

  function beforeOf(state: State | undefined): OracleReading['before'] {
    const sometime = { fromMs: 0, toMs: kept.atMs }
    const { came } = kept
    const cameOf = (at: number): Stretch => came.get(at) ?? sometime
    if (!state?.lastRead) return { packets: Number.POSITIVE_INFINITY, pairs: new Set(), cameOf }
    const present = kernel.table?.generations.map(({ id }) => id) ?? []
    const isOpen = (id: number): boolean => present.includes(id) && !state.head.closed.includes(id)
    return { packets: kept.next, cameOf, pairs: new Set(kept.pairs.flatMap(([id, texts]) => (isOpen(id) ? texts : []))) }
  }

  function isContinued(): boolean {
    const { table } = kernel
    if (!table) return durable.isLast
    const present = table.generations.map(({ id }) => id)
    return durable.booked.epoch === table.epoch && durable.live.every((id) => present.includes(id))
  }

  /** Totals start over; what the table holds by the next reading is not to be posted. */
  function forgetAll(): void {
    booked = nothingBooked()
    booked.next = Number.POSITIVE_INFINITY
    witness.forget('everything')
  }

  async function makeTable(doing: Agent): Promise<number> {
    if (kernel.table) return 0
    const epoch = `epoch ${++epochs}`
    bookEpoch(booked, epoch)
    const gapMs = lastReadMs === 0 ? 0 : monotonicMs - lastReadMs
    doing.ledger.announce(epoch)
    doing.sinceMs = wallMs
    witness.look(doing.ledger, { booked, clock })
    await write(doing, async () => doing.journal.checkpoint(await doing.ledger.state({ complete: true })), true)
    passed('announcing')
    kernel.create(epoch, wallMs)
    passed('creating the table')
    return gapMs
  }

  async function cycle(meanwhile?: Packet): Promise<Agent> {
    const doing = agent ?? (await start())
    const gapMs = await makeTable(doing)
    // Packets between the hooks when addresses change hands, or when all starts over, are booked by their first hook. The oracle does
    // not know that.
    if (identity.version !== durable.version || identity.hasMeanwhile || booked.next === Number.POSITIVE_INFINITY) kernel.land()
    await readAndPost(doing, gapMs, meanwhile)
    await keep(doing)
    passed('keeping')
    const isWritten = await write(doing, () => doing.journal.write(doing.ledger.take(), () => doing.ledger.state()), false)
    passed('writing')
    if (isWritten) doing.reader.release(doing.ledger.releasable())
    else serveUnwritten(doing)
    passed('releasing')
    return doing
  }

  async function keep(doing: Agent): Promise<void> {
    const before = disk.files.get('ledger.last-read')
    await doing.journal.keep(await doing.ledger.lastRead())
    if (disk.files.get('ledger.last-read') !== before) {
      const came = new Map(booked.pending.map((one) => [one.at, one.came] as const))
      kept = { next: booked.next, epoch: booked.epoch, pairs, atMs: wallMs, came }
    }
  }

  async function readAndPost(doing: Agent, gapMs: number, meanwhile?: Packet): Promise<void> {
    kernel.beginReading()
    const reading = doing.reader.read(wallMs, gapMs)
    const packets = kernel.packets.map((packet) => ({ ...packet }))
    pairs = pairsByGeneration()
    lastReadMs = monotonicMs
    passed('reading')
    if (meanwhile) send(meanwhile)
    await doing.ledger.post(reading, identity)
    passed('posting')
    booked.next = Math.min(booked.next, packets.length)
    const closed = new Set(doing.ledger.releasable())
    const known = new Set(pairs.flatMap(([id, texts]) => (closed.has(id) ? [] : texts)))
    // The clock may have been set back since.
    const stretch = { fromMs: doing.sinceMs <= wallMs ? doing.sinceMs : 0, toMs: wallMs }
    bookReading(booked, { packets, identity, before: doing.before, stretch, known })
    doing.before = undefined
    doing.sinceMs = reading.atMs
    identity.settle()
    witness.look(doing.ledger, { booked, clock })
  }

  const pairsByGeneration = (): (readonly [number, string[]])[] =>
    (kernel.table?.generations ?? []).map(({ id, seen, via }) => [id, [...seen.keys(), ...via.keys()]])

  function serveUnwritten(doing: Agent): void {
    isAhead = true
    witness.scrape(doing.ledger, { booked, clock })
  }

  async function stop(): Promise<void> {
    const doing = await cycle()
    const isWritten = await write(
      doing,
      async () => doing.journal.checkpoint(await doing.ledger.state({ complete: true }), { sync: true }),
      true,
    )
    if (!isWritten) isAhead = true
    agent = undefined
  }

  function send({ from, to, bytes, path, isInFlight }: Packet): void {
    kernel.send({ source: from, destination: to, bytes, path }, isInFlight && path === 'translated')
  }

  /**
   * Of a pair whose end was somebody else since the last reading, what was between the hooks then is booked by the first of them. When it passes
   * the second, and the pair is transit by now, nobody can tell it from what came since: seen 1, then 2, and 1 translated, the first packet or the
   * second. So here there is none. A ledger that takes the wrong one is wrong by what was between the hooks at one moment, and no more.
   */
  const mayHaveMeanwhile = (address: string): boolean => !kernel.isBetweenHooks(address)

  async function act(action: Action): Promise<void> {
    switch (action.do) {
      case 'send':
        return send(action)
      case 'cycle':
        return void (await cycle(action.meanwhile))
      case 'place':
        return identity.change(
          action.address,
          action.placement,
          mayHaveMeanwhile(action.address) ? action.meanwhile : undefined,
          action.apart && { ...action.apart, atMs: wallMs - action.apart.agoMs },
        )
      case 'rotate':
        if (agent) kernel.rotate()
        return
      case 'wait':
        wallMs += action.ms
        monotonicMs += action.ms
        return
      case 'set the clock back':
        wallMs -= HOUR_MS
        return
      case 'kill':
        throw new Killed()
      case 'stop':
        return stop()
      case 'destroy the table':
        return kernel.destroy()
      case 'delete a set':
        // Under a running agent the table has an owner.
        return agent ? undefined : kernel.release(kernel.table?.generations.slice(0, 1).map(({ id }) => id) ?? [])
      case 'disk':
        disk.mode = action.mode
        return
      case 'remove the state':
        return disk.lose()
      case 'garble the state':
        return disk.garble(action.at)
      default:
        return action satisfies never
    }
  }

  async function run(action: Action): Promise<void> {
    isExcused ||= EXCUSES.includes(action.do)
    plan = 'killAfter' in action ? action : { killAfter: 'nothing', tearAt: 0 }
    try {
      await act(action)
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      agent = undefined
    }
  }

  async function settle(): Promise<void> {
    plan = { killAfter: 'nothing', tearAt: 0 }
    disk.mode = 'works'
    kernel.land()
    for (let i = 0; i < 3; i++) await cycle()
    if (agent) witness.rest(agent.ledger, { booked, clock })
  }

  return {
    run,
    settle,
    get ledger() {
      return agent?.ledger
    },
  }
}
