// A node that counts, an exporter that dies and begins anew, and an intake that fails, all by one clock that the test moves.

import type { Clock, Disk } from '../../../src/deps.js'
import type { Encoding } from '../../../src/exporters/datadog/body.js'
import { type Outcome, outcomeOf } from '../../../src/exporters/datadog/intake.js'
import { createPush, type Push } from '../../../src/exporters/datadog/push.js'
import { DATADOG_STATE } from '../../../src/exporters/datadog/state.js'
import type { Family, FamilySnapshot, Labels, Series } from '../../../src/model.js'
import { createJournalFile } from '../../../src/state/journal-file.js'
import { createJudge, KEY } from '../../datadog/judge.js'
import { createHandClock } from '../../kube/hand-clock.js'
import { createKeptLog } from '../../kube/kept-log.js'
import { createModelDisk } from '../../ledger/disk-model.js'

export const FLOWS: Family = {
  name: 'meshtoll_flow_bytes_total',
  kind: 'counter',
  labels: ['src_zone', 'src_namespace', 'src_owner_kind', 'src_owner_name', 'scope'],
  help: 'Bytes.',
}
export const FLUSH_MS = 30_000
const START_MS = 1_763_688_000_000

/** What becomes of a request: kept or not, and what is answered. */
export type Weather =
  | 'fine'
  | 'down'
  | 'hangs, kept'
  | 'hangs, not kept'
  | 'resets, kept'
  | 'resets, not kept'
  | '500, kept'
  | '429'
  | '413'
  | '400 to zstd'
  | '415 to zstd'

interface Total {
  readonly labels: Labels
  value: number
  readonly sinceMs: number
}

export interface World {
  readonly clock: ReturnType<typeof createHandClock>
  readonly judge: ReturnType<typeof createJudge>
  readonly log: ReturnType<typeof createKeptLog>
  readonly disk: ReturnType<typeof createModelDisk>
  weather: Weather
  readonly requests: number
  readonly push: Push
  count(name: string, bytes: number): void
  /** As the ledger does with a series that was idle for long. Returns what it came to. */
  withdraw(name: string): number
  /** The machine begins anew, with what is on its disk. */
  reboot(): Promise<void>
  /** As people or NTP do: nobody sleeps longer for it. */
  setClock(byMs: number): void
  /** All that was ever counted. */
  readonly truth: number
  truthOf(name: string): number
  /** Others that are served. */
  others: FamilySnapshot[]
  foreign: FamilySnapshot[]
  start(): Promise<void>
  kill(): void
  /** Lets everything happen that happens by itself within that time. */
  pass(ms: number): Promise<void>
  self(name: string): number
}

export interface WorldOptions {
  readonly maxSeries?: number
  readonly excludeLabels?: readonly string[]
  readonly maxPoints?: number
  readonly maxWaiting?: number
  readonly encoding?: Encoding
  /** Whose clock the intake goes by: that of the node, or the one that is right. */
  readonly intakeClock?: 'ours' | 'right'
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function createWorld(options: WorldOptions = {}): World {
  const { maxSeries = 2_000, excludeLabels = [], maxPoints = 10_000, encoding = 'deflate', intakeClock = 'ours' } = options
  const clock = createHandClock()
  clock.advance(START_MS)
  let skewMs = 0
  let boots = 1
  let bootedMs = 0
  const seen: Clock = {
    now: () => clock.now() + skewMs,
    monotonic: clock.monotonic,
    sleep: clock.sleep,
    sinceBoot: () => clock.monotonic() - bootedMs,
    get bootId() {
      return `boot-${boots}`
    },
  }
  const log = createKeptLog()
  const disk = createModelDisk()
  const judge = createJudge({ now: intakeClock === 'ours' ? seen.now : clock.now, maxPoints })
  const totals = new Map<string, Total>()
  let requests = 0
  let withdrawn = 0

  async function send(bytes: Uint8Array, encoding: string, signal: AbortSignal): Promise<Outcome> {
    const { weather } = world
    requests++
    const failed = (why: string, mayHaveIt: boolean): Outcome => ({ kind: 'failed', why, mayHaveIt, afterMs: 0, isKey: false })
    const take = () => {
      const headers = { 'dd-api-key': KEY, 'content-type': 'application/json', 'content-encoding': encoding }
      return judge.take({ method: 'POST', url: '/api/v2/series', headers }, Buffer.from(bytes))
    }
    if (weather === 'down') return failed('nobody listens there', false)
    if (weather === '429') return failed('it answers 429', false)
    if (weather === '413') return { kind: 'too large' }
    const isUnread = encoding === 'zstd' && weather.endsWith('to zstd')
    if (isUnread) return outcomeOf(Number(weather.slice(0, 3)), { headers: {}, text: '', nowMs: clock.now() })
    const refused = weather.includes('not kept') ? undefined : take()
    if (weather.startsWith('hangs')) {
      await clock.sleep(20_000, signal)
      return failed('not done within 20 s', true)
    }
    if (weather !== 'fine' && !weather.endsWith('to zstd')) return failed('it hung up', true)
    if (!refused) return { kind: 'accepted', complaint: '' }
    return refused.status === 413 ? { kind: 'too large' } : { kind: 'refused', why: refused.why }
  }

  function begin() {
    const stop = new AbortController()
    const mine = { isAlive: true }
    const alive = async <T>(use: () => Promise<T>): Promise<T> => {
      if (!mine.isAlive) return new Promise<T>(() => undefined)
      return use()
    }
    const ofLife: Disk = {
      claim: () => disk.claim(),
      read: (path) => alive(() => disk.read(path)),
      append: (path, data) => alive(() => disk.append(path, data)),
      replace: (path, data, options) => alive(() => disk.replace(path, data, options)),
      rename: (path, to) => alive(() => disk.rename(path, to)),
      remove: (path) => alive(() => disk.remove(path)),
    }
    let busy = 0
    const intake = {
      send: (bytes: Uint8Array, { encoding, signal }: { encoding: string; signal: AbortSignal }) =>
        alive(async () => {
          busy++
          return send(bytes, encoding, signal).finally(() => busy--)
        }),
    }
    const own = (): FamilySnapshot[] => [
      { family: FLOWS, series: { [Symbol.iterator]: () => totals.values() as Iterator<Series> } },
      ...world.others,
      ...push.families(),
    ]
    const push = createPush(
      {
        file: createJournalFile(DATADOG_STATE, { clock, disk: ofLife, log }),
        host: () => 'i-1',
        withGroups: (use) =>
          use([
            { families: own(), origin: 'own' },
            { families: world.foreign, origin: 'foreign' },
          ]),
        intake,
        encoding,
        key: async () => KEY,
        random: () => 0.5,
      },
      {
        ...{ tags: ['env:test'], excludeLabels, maxSeries, startedMs: seen.now(), flushIntervalMs: FLUSH_MS },
        ...(options.maxWaiting === undefined ? {} : { maxWaiting: options.maxWaiting }),
      },
      { clock: seen, log },
    )
    return { push, stop, mine, isBusy: () => busy > 0 }
  }

  let current: ReturnType<typeof begin> | undefined

  /** Whoever does something does it to its end, or sleeps. */
  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await turn()
      const sleepers = clock.sleeping.length
      quiet = sleepers > 0 ? quiet + 1 : 0
      // Asked for last: to tell takes longer than a turn.
      if (quiet === 3 && sleepers === 1 && current && world.self('waiting_windows') > 0) quiet = 0
    }
  }

  const world: World = {
    clock,
    judge,
    log,
    disk,
    weather: 'fine',
    others: [],
    foreign: [],
    get requests() {
      return requests
    },
    get push() {
      if (!current) throw new Error('not started')
      return current.push
    },
    count(name, bytes) {
      const known = totals.get(name)
      if (known) known.value += bytes
      else totals.set(name, { labels: labelsOf(name), value: bytes, sinceMs: seen.now() })
    },
    withdraw(name) {
      const bytes = totals.get(name)?.value ?? 0
      totals.delete(name)
      withdrawn += bytes
      return bytes
    },
    setClock(byMs) {
      skewMs += byMs
    },
    async reboot() {
      world.kill()
      boots++
      bootedMs = clock.monotonic()
      await world.start()
    },
    get truth() {
      return [...totals.values()].reduce((sum, { value }) => sum + value, withdrawn)
    },
    truthOf: (name) => totals.get(name)?.value ?? 0,
    async start() {
      const one = begin()
      current = one
      await one.push.load()
      void one.push.run(one.stop.signal)
      await settle()
    },
    kill() {
      if (!current) return
      current.mine.isAlive = false
      current.stop.abort(new Error('killed'))
      current = undefined
    },
    async pass(ms) {
      for (const endMs = clock.now() + ms; clock.now() < endMs; ) {
        clock.advance(Math.min(endMs - clock.now(), ...clock.sleeping.filter((left) => left > 0)))
        await settle()
      }
    },
    self(name) {
      const found = world.push.families().find(({ family }) => family.name === `meshtoll_datadog_${name}`)
      return [...(found?.series ?? [])].reduce((sum, { value }) => sum + value, 0)
    },
  }
  return world
}

const labelsOf = (name: string): Labels =>
  Object.freeze({ src_zone: 'a', src_namespace: 'shop', src_owner_kind: 'Deployment', src_owner_name: name, scope: 'cross_zone' })
