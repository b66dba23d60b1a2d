// Which proxies are connected to the istiods of this node, and which of them have not acknowledged what they were sent. Each replica knows its own
// proxies only, so each is asked, at port 15014, and never a Service. /debug/adsz says the same at a hundred times the length, and is not asked.
// Needs a way to that port, which is plain HTTP, and a token that istiod takes.
import type { Clock, Log } from '../../deps.js'
import type { Family, Labels, Reading, Readings, RowReading, Source, ValueReading } from '../../model.js'
import type { HttpGet } from '../http-get.js'
import { createScraping, placeOf, type Scraped, type Target } from '../scraping.js'
import { type AskDebug, type Credentials, createAskDebug, urlsOf } from './asking.js'
import { connected, families, unacknowledged, unacknowledgedSeconds } from './families.js'
import { type Asked, type ConnectedProxy, createWaits, type Waiting, type Waits } from './waits.js'

export type Http = Pick<HttpGet, 'read' | 'leave' | 'close'>

export interface IstiodDebugParts {
  /** Asked for when there is somebody to ask. */
  readonly open: () => Promise<Http>
  /** By the URL of /debug/syncz. */
  readonly targets: () => Iterable<Target>
  readonly credentials: Credentials
  readonly intervalMs: number
}

/** Whoever comes up or goes down may fail once. */
const LASTS = 2
/** Of the snapshot: those that are furthest behind, then any. */
const MAX_ROWS = 500
const STATUSES = ['stale', 'error'] as const
const PLACED = { zone: 'zone' } as const
const ZONE_OF_PROXY = { proxy_zone: 'zone' } as const

export function createIstiodDebug(parts: IstiodDebugParts, deps: { readonly clock: Clock; readonly log: Log }): Source {
  const { open, targets, credentials, intervalMs } = parts
  const waits = new Map<string, Waits>()
  let http: Promise<Http> | undefined
  let asking: Promise<AskDebug> | undefined
  let rejected = 0

  async function ask(target: Target & { readonly url: string }, signal: AbortSignal): Promise<Asked> {
    http ??= open()
    asking ??= http.then((opened) => createAskDebug(opened, credentials))
    const atMs = deps.clock.now()
    const { statuses, connections } = await (await asking)(target, signal)
    rejected += statuses.rejected
    const known = waits.get(target.name) ?? createWaits()
    waits.set(target.name, known)
    return await known.see(statuses, connections, atMs)
  }

  const leave = ({ name, url }: Target): void => {
    waits.delete(name)
    if (url !== undefined) void http?.then((opened) => urlsOf(url).forEach(opened.leave))
  }
  const scraping = createScraping<Asked>({ name: 'istiod-debug', intervalMs, targets, ask, leave }, deps)

  return {
    name: 'istiod-debug',
    families,
    needs: [],
    async run(signal) {
      await scraping.run(signal)
      await http?.then((opened) => opened.close()).catch(() => undefined)
    },
    async read(signal): Promise<Readings> {
      const scraped = await scraping.read(signal)
      throwWhereAllFail(scraped)
      const readings = [...scraped.flatMap((one) => [...readingsOf(one)]), ...rowsOf(scraped)]
      const said = { readings, rejected }
      rejected = 0
      return said
    },
  }
}

function throwWhereAllFail(asked: readonly Scraped<unknown>[]): void {
  const failed = asked.filter(({ failures }) => failures >= LASTS)
  const [first] = failed
  if (!first || failed.length < asked.filter(({ target }) => target.url !== undefined).length) return
  throw new Error(`none of ${failed.length} asked istiods tells of its proxies, such as ${placeOf(first.target)}: ${first.failure}`)
}

function* readingsOf({ target, said }: Scraped<Asked>): Generator<Reading> {
  if (!said) return
  const { pod, labels } = target
  const value = (family: Family, more: Labels, amount: number) =>
    ({ kind: 'value', family, labels: { ...labels, ...more }, value: amount, ...(pod ? { pod } : {}) }) as const
  yield* connectedOf(said.proxies, (type) => value(connected, { proxy_type: type }, 0))
  for (const { xds, status, count, sinceMs } of behindOf(said).values()) {
    yield value(unacknowledged, { xds, status }, count)
    yield value(unacknowledgedSeconds, { xds, status }, (said.atMs - sinceMs) / 1000)
  }
}

/** By type and address. Of each type there is one object of labels: where thousands are placed, by that they are told apart. */
function* connectedOf(proxies: readonly ConnectedProxy[], makeReading: (type: string) => ValueReading): Generator<Reading> {
  const byType = new Map<string, Map<string, number>>()
  for (const { type, address = '' } of proxies) {
    const counts = byType.get(type) ?? new Map<string, number>()
    byType.set(type, counts.set(address, (counts.get(address) ?? 0) + 1))
  }
  for (const [type, counts] of byType) {
    const reading = makeReading(type)
    for (const [address, value] of counts) yield { ...reading, value, peer: { address, says: ZONE_OF_PROXY } }
  }
}

interface Behind {
  readonly xds: string
  readonly status: (typeof STATUSES)[number]
  readonly count: number
  readonly sinceMs: number
}

/** Types of which all is acknowledged are there as well, at 0. */
function behindOf({ proxies, xds: types, atMs }: Asked): ReadonlyMap<string, Behind> {
  const behind = new Map<string, Behind>()
  for (const xds of types) for (const status of STATUSES) behind.set(`${xds} ${status}`, { xds, status, count: 0, sinceMs: atMs })
  for (const { waiting } of proxies)
    for (const { xds, sinceMs, error } of waiting) {
      const status = statusOf(error)
      const before = behind.get(`${xds} ${status}`)
      behind.set(`${xds} ${status}`, {
        xds,
        status,
        count: (before?.count ?? 0) + 1,
        sinceMs: Math.min(before?.sinceMs ?? atMs, sinceMs),
      })
    }
  return behind
}

/** As `istioctl proxy-status` calls it. */
const statusOf = (error: string): Behind['status'] => (error === '' ? 'stale' : 'error')

function rowsOf(scraped: readonly Scraped<Asked>[]): readonly RowReading[] {
  const all = scraped.flatMap(({ target, said }) => (said ? said.proxies.map((proxy) => ({ target, atMs: said.atMs, proxy })) : []))
  const [behind, even] = [all.filter(({ proxy }) => proxy.waiting.length > 0), all.filter(({ proxy }) => proxy.waiting.length === 0)]
  behind.sort((a, b) => firstOf(a.proxy.waiting) - firstOf(b.proxy.waiting))
  return [...behind, ...even].slice(0, MAX_ROWS).map(({ target, atMs, proxy }) => rowOf(target, atMs, proxy))
}

const firstOf = (waiting: readonly Waiting[]): number => Math.min(...waiting.map(({ sinceMs }) => sinceMs))

function rowOf(target: Target, atMs: number, { proxy, type, version, address = '', connectedMs, waiting }: ConnectedProxy): RowReading {
  const row = {
    proxy,
    type,
    version,
    istiod: target.pod ? `${target.pod.name}.${target.pod.namespace}` : target.name,
    address,
    ...(connectedMs === undefined ? {} : { connectedAt: new Date(connectedMs).toISOString() }),
    unacknowledged: waiting.map(({ xds, sinceMs, error }) => ({
      xds,
      status: statusOf(error),
      seconds: (atMs - sinceMs) / 1000,
      ...(error === '' ? {} : { error }),
    })),
  }
  return { kind: 'row', row, peer: { address, says: PLACED } }
}
