// The ztunnels of this node, Istio ambient's proxies: the bytes of captured connections by zone, as they count them themselves, and how they fare
// with istiod. One counts for each pair of workloads that ever met and forgets none, so its answer may be long: it is read in pieces.
// Needs a way to port 15020, which is plain HTTP, and for pods that they are told of.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock, Log } from '../../deps.js'
import type { Labels, Reading, Readings, Source } from '../../model.js'
import type { HttpGet } from '../http-get.js'
import { createScraping, placeOf, refuseWhereAllFail, type Scraped, type Target } from '../scraping.js'
import { connectionFailures, connectionTerminations, families, unreachable, xdsReceive, ztunnels } from './families.js'
import { readZtunnel, type ZtunnelStats } from './stats.js'
import { createTraffic } from './traffic.js'

export type Http = Pick<HttpGet, 'read' | 'leave' | 'close'>

export interface ZtunnelParts {
  /** Asked for when there is somebody to ask. */
  readonly open: () => Promise<Http>
  readonly targets: () => Iterable<Target>
  readonly intervalMs: number
}

type Said = Omit<ZtunnelStats, 'series'>

export function createZtunnel({ open, targets, intervalMs }: ZtunnelParts, deps: { readonly clock: Clock; readonly log: Log }): Source {
  const { clock, log } = deps
  const traffic = createTraffic({ clock, turn: turnOfTheLoop })
  let http: Promise<Http> | undefined
  let rejected = 0
  let isToldOfZones = false

  async function ask(target: Target & { readonly url: string }, signal: AbortSignal): Promise<Said> {
    const { name, url } = target
    traffic.see(target)
    http ??= open()
    const stats = await (await http).read(url, (pieces) => readZtunnel(pieces, traffic.knownOf(name)), signal)
    await traffic.add(name, stats)
    const { series: _, ...said } = stats
    rejected += said.rejected
    tellOfZones(target, said)
    return said
  }

  function tellOfZones(target: Target, { namesZones }: Said): void {
    if (namesZones || isToldOfZones) return
    isToldOfZones = true
    log.warn('ztunnel names no zones, its bytes go to _unknown; Istio 1.25 does', { source: 'ztunnel', first: placeOf(target) })
  }

  const leave = ({ url }: Target): void => {
    if (url !== undefined) void http?.then((opened) => opened.leave(url))
  }
  const scraping = createScraping<Said>({ name: 'ztunnel', intervalMs, targets, ask, leave }, deps)

  return {
    name: 'ztunnel',
    families,
    needs: [],
    resume: traffic.resume,
    async run(signal) {
      await scraping.run(signal)
      await http?.then((opened) => opened.close()).catch(() => undefined)
    },
    async read(signal): Promise<Readings> {
      const atMs = clock.now()
      const asked = await scraping.read(signal)
      refuseWhereAllFail(asked, { who: 'ztunnels' })
      for (const { target } of asked) traffic.see(target)
      const counted = traffic.take(new Set(asked.map(({ target }) => target.name)), atMs)
      const said = { readings: [...asked.flatMap((one) => [...readingsOf(one)]), ...counted], rejected }
      rejected = 0
      return said
    },
  }
}

function* readingsOf({ target, said, failure }: Scraped<Said>): Generator<Reading> {
  const { pod, labels } = target
  const common = { labels, ...(pod ? { pod } : {}) }
  yield { kind: 'value', ...common, family: ztunnels, value: 1 }
  yield { kind: 'value', ...common, family: unreachable, value: failure === undefined ? 0 : 1 }
  const total = { kind: 'total', ...common, target: `ztunnel ${target.name}`, series: '', startedMs: target.startedMs } as const
  // Where it says nothing it is there still: what it said last is to be kept.
  yield { ...total, family: connectionFailures, value: said?.failures }
  yield { ...total, family: connectionTerminations, value: said?.terminations }
  for (const [xds, value] of said?.xdsBytes ?? [])
    yield { ...total, family: xdsReceive, labels: { ...labels, xds } satisfies Labels, series: xds, value }
}
