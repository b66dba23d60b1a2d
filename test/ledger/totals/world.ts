// Counters that come, go, begin anew and change hands, read by totals that may be killed at any point; and beside them what must be served,
// kept event by event and without a difference of two numbers.
import { createTotalsJournal } from '../../../src/ledger/totals/journal.js'
import { createTotals, type TotalEntry, type Totals } from '../../../src/ledger/totals/totals.js'
import type { Family } from '../../../src/model.js'
import { createModelDisk } from '../disk-model.js'

export const FAMILY: Family = { name: 'meshtoll_things_total', kind: 'counter', labels: ['owner_name'], help: 'Things.' }
/** Withdrawal is a matter of its own. */
const IDLE_MS = 1e12
const FORGOTTEN_MS = 600_000
export const SOURCE = 'things'
const UNKNOWN = '_unknown'

export type Kill = 'no' | 'before the write' | 'in the write' | 'after the write'

interface Count {
  readonly do: 'count'
  readonly target: number
  readonly series: string
  readonly amount: number
}

export type Step =
  | { readonly do: 'come'; readonly target: number; readonly isStamped: boolean; readonly owner: string }
  | { readonly do: 'go' | 'hide' | 'show' | 'reset' | 'learn'; readonly target: number }
  | { readonly do: 'own'; readonly target: number; readonly owner: string }
  | Count
  | { readonly do: 'read'; readonly kill: Kill; readonly tearAt: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'kill' }

interface Counter {
  value: number
  /** Not served yet, of this life. */
  fresh: number
  /** As of the last read that lasted. */
  last: number | undefined
  isReset: boolean
}

interface TargetHere {
  readonly name: string
  readonly isStamped: boolean
  startedMs: number
  owner: string
  isKnownOwner: boolean
  isHidden: boolean
  readonly counters: Map<string, Counter>
  seenMs: number | undefined
  /** As the totals know it. */
  stampMs: Map<string, number>
  held: number
  /** Since when reads have lacked it, as this process knows. */
  lackedMs: number | undefined
}

export function createTotalsWorld() {
  const disk = createModelDisk()
  let nowMs = 1_000_000_500
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const lines: string[] = []
  const say = (message: string): void => void lines.push(message)
  const log = { debug: () => undefined, info: say, warn: say, error: say }
  const here = new Map<number, TargetHere>()
  /** Gone, with what waited for its owner. */
  let orphans: { held: number; lackedMs: number | undefined }[] = []
  const wanted = new Map<string, number>()
  let lastReadMs: number | undefined
  let lives = 0
  let totals: Totals | undefined
  let journal = createTotalsJournal({ clock, disk, log })

  async function start(): Promise<Totals> {
    journal = createTotalsJournal({ clock, disk, log })
    totals = createTotals({ idleMs: IDLE_MS, families: [FAMILY] }, { clock }, await journal.load())
    // A new process has not missed anybody yet.
    for (const lacked of [...orphans, ...here.values()]) lacked.lackedMs = undefined
    return totals
  }

  const served = (): Map<string, number> =>
    new Map([...(totals?.families()[0]?.series ?? [])].map(({ labels, value }) => [labels.owner_name ?? '', value]))

  const stampOf = (): number => Math.floor(nowMs / 1000) * 1000

  function entriesOf({ name, isStamped, startedMs, owner, isKnownOwner, counters }: TargetHere): TotalEntry[] {
    const common = { family: FAMILY, target: name, ...(isStamped ? { startedMs } : {}) }
    const whose = { labels: { owner_name: isKnownOwner ? owner : UNKNOWN }, whose: isKnownOwner ? 'certain' : 'waiting' } as const
    if (counters.size === 0) return [{ ...common, ...whose, series: '', value: undefined }]
    return [...counters].map(([series, { value }]) => ({ ...common, ...whose, series, value }))
  }

  /** What is served after a read that lasted. */
  function account(): void {
    for (const target of here.values()) {
      target.lackedMs = target.isHidden ? (target.lackedMs ?? nowMs) : undefined
      if (!target.isHidden) accountFor(target)
      else if (isOver(target)) forget(target)
    }
    for (const orphan of orphans) orphan.lackedMs ??= nowMs
    for (const { held } of orphans.filter(isOver)) if (held > 0) add(UNKNOWN, held)
    orphans = orphans.filter((orphan) => !isOver(orphan))
    lastReadMs = nowMs
  }

  const isOver = ({ lackedMs = nowMs }: { readonly lackedMs: number | undefined }): boolean => nowMs - lackedMs >= FORGOTTEN_MS

  /** Should it come back, it is seen for the first time. */
  function forget(target: TargetHere): void {
    if (target.held > 0) add(UNKNOWN, target.held)
    Object.assign(target, { held: 0, seenMs: undefined })
    for (const counter of target.counters.values()) Object.assign(counter, { last: undefined, fresh: 0, isReset: false })
  }

  function accountFor(target: TargetHere): void {
    const isBorn = target.isStamped && lastReadMs !== undefined && target.startedMs >= Math.floor(lastReadMs / 1000) * 1000
    if (target.counters.size === 0 && target.seenMs === undefined && !isBorn) return
    for (const [series, counter] of target.counters) {
      const amount = newOf(target, { series, counter, isBorn })
      if (counter.last === undefined || counter.isReset) target.stampMs.set(series, target.startedMs)
      Object.assign(counter, { fresh: 0, last: counter.value, isReset: false })
      target.held += amount
      if (target.isKnownOwner && !wanted.has(target.owner)) wanted.set(target.owner, 0)
    }
    if (target.isKnownOwner && target.counters.size > 0) {
      add(target.owner, target.held)
      target.held = 0
    }
    target.seenMs = nowMs
  }

  function newOf(target: TargetHere, one: { series: string; counter: Counter; isBorn: boolean }): number {
    const { series, counter, isBorn } = one
    if (counter.last === undefined) return target.seenMs !== undefined || isBorn ? counter.value : 0
    if (!counter.isReset) return counter.fresh
    // A beginning that nobody could notice.
    const isNoticed = counter.value < counter.last || (isBorn && target.startedMs > (target.stampMs.get(series) ?? 0))
    return isNoticed ? counter.value : counter.value - counter.last
  }

  function add(owner: string, amount: number): void {
    wanted.set(owner, (wanted.get(owner) ?? 0) + amount)
  }

  async function read({ kill, tearAt }: { readonly kill: Kill; readonly tearAt: number }): Promise<void> {
    const running = totals ?? (await start())
    const entries = [...here.values()].filter(({ isHidden }) => !isHidden).flatMap(entriesOf)
    running.post(SOURCE, entries, nowMs)
    if (kill === 'before the write') return die()
    if (kill === 'in the write') disk.tearNextAt(tearAt)
    await journal.write(running.take(), running.rows).catch(() => false)
    if (kill !== 'in the write' || disk.tornWrite === 'whole') account()
    if (kill !== 'no') die()
  }

  function die(): void {
    totals = undefined
    disk.heal()
  }

  async function step(action: Step): Promise<void> {
    if (action.do === 'wait') nowMs += action.ms
    else if (action.do === 'kill') die()
    else if (action.do === 'read') await read(action)
    else if (action.do === 'come') come(action)
    else act(action)
  }

  function come({ target, isStamped, owner }: Extract<Step, { do: 'come' }>): void {
    if (here.has(target)) return
    const state = { startedMs: stampOf(), isKnownOwner: true, isHidden: false, seenMs: undefined, held: 0, lackedMs: undefined }
    here.set(target, { name: `t${lives++}`, isStamped, owner, ...state, counters: new Map(), stampMs: new Map() })
  }

  function act(action: Exclude<Step, { do: 'wait' | 'kill' | 'read' | 'come' }>): void {
    const target = here.get(action.target)
    if (!target) return
    if (action.do === 'go') {
      here.delete(action.target)
      orphans.push({ held: target.held, lackedMs: target.lackedMs })
    } else if (action.do === 'hide' || action.do === 'show') target.isHidden = action.do === 'hide'
    else if (action.do === 'reset') reset(target)
    else if (action.do === 'learn') target.isKnownOwner = !target.isKnownOwner
    else if (action.do === 'own') target.owner = action.owner
    else count(target, action as Count)
  }

  function reset(target: TargetHere): void {
    target.startedMs = stampOf()
    for (const counter of target.counters.values()) Object.assign(counter, { value: 0, fresh: 0, isReset: counter.last !== undefined })
  }

  function count(target: TargetHere, { series, amount }: { readonly series: string; readonly amount: number }): void {
    const counter = target.counters.get(series) ?? { value: 0, fresh: 0, last: undefined, isReset: false }
    target.counters.set(series, { ...counter, value: counter.value + amount, fresh: counter.fresh + amount })
  }

  return {
    step,
    start,
    served,
    get isRunning() {
      return totals !== undefined
    },
    get wanted() {
      return wanted
    },
    lines,
    disk,
  }
}
