// Which proxies are connected to the istiods of this node, and which of them have not acknowledged what they were sent. Each replica knows its own
// proxies only, so each is asked, at port 15014, and never a Service. /debug/adsz says the same at a hundred times the length, and is not asked.
// Needs a way to that port, which is plain HTTP, and a token that istiod takes.
import type { Clock, Log } from '../../deps.js'
import type { Family, Labels, Reading, Readings, RowReading, Source, ValueReading } from '../../model.js'
import type { HttpGet } from '../http-get.js'
import { createScraping, refuseWhereAllFail, type Scraped, type Target } from '../scraping.js'
import { type AskDebug, type Credentials, createAskDebug, urlsOf } from './asking.js'
import { connected, families, unacknowledged, unacknowledgedSeconds } from './families.js'
import { firstOf, type Summary, statusOf, summaryOf } from './summary.js'
import { type ConnectedProxy, createWaits, type Waits } from './waits.js'

export type Http = Pick<HttpGet, 'read' | 'leave' | 'close'>

export interface IstiodDebugParts {
  /** Asked for when there is somebody to ask. */
  readonly open: () => Promise<Http>
  /** By the URL of /debug/syncz. */
  readonly targets: () => Iterable<Target>
  readonly credentials: Credentials
  readonly intervalMs: number
}

const PLACED = { zone: 'zone' } as const
const ZONE_OF_PROXY = { proxy_zone: 'zone' } as const

export function createIstiodDebug(parts: IstiodDebugParts, deps: { readonly clock: Clock; readonly log: Log }): Source {
  const { open, targets, credentials, intervalMs } = parts
  const waits = new Map<string, Waits>()
  let http: Promise<Http> | undefined
  let asking: Promise<AskDebug> | undefined
  let rejected = 0

  async function ask(target: Target & { readonly url: string }, signal: AbortSignal): Promise<Summary> {
    http ??= open()
    asking ??= http.then((opened) => createAskDebug(opened, credentials))
    const atMs = deps.clock.now()
    const { statuses, connections } = await (await asking)(target, signal)
    rejected += statuses.rejected
    const known = waits.get(target.name) ?? createWaits()
    waits.set(target.name, known)
    return summaryOf(await known.see(statuses, connections, atMs))
  }

  const leave = ({ name, url }: Target): void => {
    waits.delete(name)
    if (url !== undefined) void http?.then((opened) => urlsOf(url).forEach(opened.leave))
  }
  const scraping = createScraping<Summary>({ name: 'istiod-debug', intervalMs, targets, ask, leave }, deps)

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
      refuseWhereAllFail(scraped, { who: 'istiods', does: 'tells of its proxies' })
      const readings = [...scraped.flatMap((one) => [...readingsOf(one)]), ...rowsOf(scraped)]
      const said = { readings, rejected }
      rejected = 0
      return said
    },
  }
}

function* readingsOf({ target, said }: Scraped<Summary>): Generator<Reading> {
  if (!said) return
  const { pod, labels } = target
  const value = (family: Family, more: Labels, amount: number): ValueReading => ({
    kind: 'value',
    family,
    labels: { ...labels, ...more },
    value: amount,
    ...(pod ? { pod } : {}),
  })
  for (const [type, counts] of said.connected) {
    // One object of labels for all of them: by that thousands are told apart where they are placed.
    const reading = value(connected, { proxy_type: type }, 0)
    for (const [address, count] of counts) yield { ...reading, value: count, peer: { address, says: ZONE_OF_PROXY } }
  }
  for (const { xds, status, count, sinceMs } of said.behind) {
    yield value(unacknowledged, { xds, status }, count)
    yield value(unacknowledgedSeconds, { xds, status }, (said.atMs - sinceMs) / 1000)
  }
}

function rowsOf(scraped: readonly Scraped<Summary>[]): readonly RowReading[] {
  const istiods = new Map<ConnectedProxy, Scraped<Summary>>()
  for (const one of scraped) for (const proxy of one.said?.proxies ?? []) istiods.set(proxy, one)
  return firstOf([...istiods.keys()]).map((proxy) => rowOf(istiods.get(proxy) as Scraped<Summary>, proxy))
}

function rowOf({ target, said }: Scraped<Summary>, proxy: ConnectedProxy): RowReading {
  const { type, version, address = '', connectedMs, waiting } = proxy
  const row = {
    proxy: proxy.proxy,
    type,
    version,
    istiod: target.pod ? `${target.pod.name}.${target.pod.namespace}` : target.name,
    address,
    ...(connectedMs === undefined ? {} : { connectedAt: new Date(connectedMs).toISOString() }),
    unacknowledged: waiting.map(({ xds, sinceMs, error }) => ({
      xds,
      status: statusOf(error),
      seconds: ((said?.atMs ?? sinceMs) - sinceMs) / 1000,
      ...(error === '' ? {} : { error }),
    })),
  }
  return { kind: 'row', row, peer: { address, says: PLACED } }
}
