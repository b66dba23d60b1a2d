// A scrape: rendering alone against prom-client 15 with the same series, then the real server with a real ledger behind it.
// Warm: the first scrape of all, which also writes down the text of every series' labels, is not among the runs.
import Counter from 'prom-client/lib/counter.js'
import Registry from 'prom-client/lib/registry.js'
import { createPrometheus } from '../src/exporters/prometheus.js'
import { createSelf } from '../src/exporters/self.js'
import { createPrometheusText } from '../src/formats/prometheus-text.js'
import { createRoutes } from '../src/http/routes.js'
import type { Served } from '../src/http/served.js'
import { createServer } from '../src/http/server.js'
import { flowBytes } from '../src/ledger/families.js'
import type { Ledger } from '../src/ledger/ledger.js'
import { snapshotOf } from '../src/ledger/snapshot.js'
import type { Snapshot } from '../src/model.js'
import { startAsked } from './asked.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { createFullLedger, SILENT } from './flow-series.js'
import type { Got } from './getter.js'
import { largest, median } from './statistics.js'
import { timedOften } from './timing.js'

const SERIES = 10_000
const MANY_SERIES = 50_000

const SCRAPES = [
  { what: 'text', headers: {} },
  { what: 'text, gzip', headers: { 'accept-encoding': 'gzip' } },
  { what: 'OpenMetrics, gzip', headers: { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' } },
] as const

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const runs = quick ? 5 : 31
  const ledger = await createFullLedger(SERIES)
  yield* renderingOf(ledger, runs)
  yield* await scrapesOf(ledger, { series: SERIES, runs })
  yield* await scrapesOf(await createFullLedger(MANY_SERIES), { series: MANY_SERIES, runs: Math.ceil(runs / 2) })
}

const snapshotNow = (ledger: Ledger): Snapshot =>
  snapshotOf(ledger, { limit: ledger.served, zeroFirstMs: 0, prices: {} }, { atMs: 0, monotonicMs: performance.now(), coverage: 1 })

async function* renderingOf(ledger: Ledger, runs: number): AsyncIterable<Figure> {
  const renderer = createPrometheusText()
  const registry = registryOf(ledger)
  const ours: number[] = []
  const theirs: number[] = []
  for (let run = -2; run < runs; run++) {
    const start = performance.now()
    for (const piece of renderer.renderChunks(snapshotNow(ledger).families, 'text')) Buffer.from(piece)
    const between = performance.now()
    Buffer.from(await registry.metrics())
    if (run >= 0) ours.push(between - start)
    if (run >= 0) theirs.push(performance.now() - between)
  }
  yield {
    number: 'rendering 10,000 flow series, uncompressed',
    unit: 'ms',
    measured: median(ours),
    bar: { most: 15 },
    beside: `prom-client ${median(theirs).toFixed(1)} ms`,
  }
  const prometheus = createPrometheus({ withSnapshot: (use) => use(snapshotNow(ledger)), self: async () => [] })
  await prometheus.render({ format: 'text', gzip: false })
  const timings = await timedOften(runs, () => prometheus.render({ format: 'text', gzip: false }))
  const prom = await timedOften(runs, () => registry.metrics())
  yield blockFigure('rendering 10,000 flow series', timings, `prom-client ${largest(prom.map(({ blockMs }) => blockMs)).toFixed(1)} ms`)
}

function registryOf(ledger: Ledger): Registry {
  const registry = new Registry()
  const { name, help, labels } = flowBytes
  const counter = new Counter({ name, help, labelNames: [...labels], registers: [registry] })
  for (const { labels, value } of ledger.accounts.flows.values()) counter.inc(labels, value)
  return registry
}

async function scrapesOf(ledger: Ledger, { series, runs }: { readonly series: number; readonly runs: number }): Promise<readonly Figure[]> {
  const routes = createRoutes({ agent: servedOf(ledger), log: SILENT, version: '0' })
  const server = await createServer({ routes, listenAddress: { host: '127.0.0.1', port: 0 }, log: SILENT })
  const getter = startAsked<{ url: string; headers: object }, Got>(undefined, 'getter.ts')
  const named = `${series.toLocaleString('en-US')} flow series`
  const figures: Figure[] = []
  for (const { what, headers } of SCRAPES) {
    const get = (): Promise<Got> => getter.ask({ url: `${server.url}/metrics`, headers })
    const { status, bytes } = await get()
    if (status !== 200) throw new Error(`/metrics: ${status}`)
    await get()
    const timings = await timedOften(runs, get)
    const cpu = median(timings.map(({ cpuMs }) => cpuMs))
    const beside = `${(bytes / 1e6).toFixed(2)} MB, CPU ${cpu.toFixed(1)} ms`
    figures.push({ number: `HTTP scrape of ${named}: ${what}`, unit: 'ms', measured: median(timings.map(({ wallMs }) => wallMs)), beside })
    figures.push(blockFigure(`HTTP scrape of ${named}: ${what}`, timings))
  }
  await getter.stop()
  await server.close(AbortSignal.timeout(300))
  return figures
}

function servedOf(ledger: Ledger): Served {
  const self = createSelf({ version: '0', nodeVersion: process.version, sources: ['flows', 'net-dev'], cpuUsage: () => process.cpuUsage() })
  return {
    withSnapshot: (use) => use(snapshotNow(ledger)),
    self: () => self.families(),
    status: { ready: true, why: '', node: 'n1', sources: [] },
  }
}
