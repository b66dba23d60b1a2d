// The istiods of this node: what they push, how long it takes, and who rejects it. Each replica knows its own proxies only, so each is asked, at
// port 15014, and never a Service.
// Needs a way to that port, which is plain HTTP, and for pods that they are told of.
import type { Clock, Log } from '../../deps.js'
import type { Reading, Readings, Source } from '../../model.js'
import type { HttpGet } from '../http-get.js'
import { createScraping, refuseWhereAllFail, type Scraped, type Target } from '../scraping.js'
import { families, proxies, pushes } from './families.js'
import { type IstiodMetrics, readIstiodMetrics } from './metrics.js'

export type Http = Pick<HttpGet, 'read' | 'leave' | 'close'>

export interface IstiodParts {
  /** Asked for when there is somebody to ask. */
  readonly open: () => Promise<Http>
  readonly targets: () => Iterable<Target>
  readonly intervalMs: number
}

const FORBIDDEN = 403

export function createIstiod({ open, targets, intervalMs }: IstiodParts, deps: { readonly clock: Clock; readonly log: Log }): Source {
  let http: Promise<Http> | undefined
  let rejected = 0

  async function ask({ url }: { readonly url: string }, signal: AbortSignal): Promise<IstiodMetrics> {
    http ??= open()
    const metrics = await (await http).read(url, readIstiodMetrics, signal).catch((error: unknown) => {
      throw remedied(error)
    })
    rejected += metrics.rejected
    return metrics
  }

  const leave = ({ url }: Target): void => {
    if (url !== undefined) void http?.then((opened) => opened.leave(url))
  }
  const scraping = createScraping<IstiodMetrics>({ name: 'istiod', intervalMs, targets, ask, leave }, deps)

  return {
    name: 'istiod',
    families,
    needs: [],
    async run(signal) {
      await scraping.run(signal)
      await http?.then((opened) => opened.close()).catch(() => undefined)
    },
    async read(signal): Promise<Readings> {
      const asked = await scraping.read(signal)
      refuseWhereAllFail(asked, { who: 'istiods' })
      const said = { readings: asked.flatMap((one) => [...readingsOf(one)]), rejected }
      rejected = 0
      return said
    },
  }
}

/** METRICS_LOCALHOST_ACCESS_ONLY: to all others it is forbidden. */
function remedied(error: unknown): unknown {
  const { status, message } = error as Error & { readonly status?: number }
  if (status !== FORBIDDEN) return error
  return new Error(`${message}; take METRICS_LOCALHOST_ACCESS_ONLY out of the environment of istiod`, { cause: error })
}

function* readingsOf({ target, said }: Scraped<IstiodMetrics>): Generator<Reading> {
  const { pod, labels } = target
  const common = { labels, ...(pod ? { pod } : {}) }
  const total = { kind: 'total', ...common, target: `istiod ${target.name}`, startedMs: said?.startedMs ?? target.startedMs } as const
  // It is there still: what it said last is to be kept.
  if (!said) yield { ...total, family: pushes, labels: { ...labels, xds: '' }, series: '', value: undefined }
  for (const [version, value] of said?.proxies ?? [])
    yield { kind: 'value', ...common, family: proxies, labels: { ...labels, version }, value }
  for (const { family, xds, part, value } of said?.totals ?? []) {
    const named = xds === undefined ? { series: String(part), part } : { series: xds, labels: { ...labels, xds } }
    yield { ...total, family, ...named, value }
  }
}
