// Logs that grow by 100,000 lines between two reads, as of a pod on this node, and are read by the sources that follow them.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { growingFiles } from '../src/growing-files.js'
import type { Source } from '../src/model.js'
import type { FollowingDeps, LogTarget } from '../src/sources/container-logs/following.js'
import { podLog } from '../src/sources/container-logs/segments.js'
import { createEnvoyLog } from '../src/sources/envoy-log/source.js'
import { createIstiodLog } from '../src/sources/istiod-log/source.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { CLOCK, SILENT } from './flow-series.js'
import { median } from './statistics.js'
import { type Timing, timedOften } from './timing.js'

const DEPS: FollowingDeps = { clock: CLOCK, log: SILENT, growingFiles }
const LABELS = { owner_zone: 'us-east-1a', owner_namespace: 'istio-system', owner_kind: 'Deployment', owner_name: 'istiod' }

interface Case {
  readonly name: string
  readonly create: (logs: () => Iterable<LogTarget>) => Source
  readonly line: (index: number) => string
}

const istiod = (logs: () => Iterable<LogTarget>): Source => createIstiodLog({ logs }, DEPS)
const envoy = (logs: () => Iterable<LogTarget>): Source => createEnvoyLog({ logs, settleMs: 15_000 }, DEPS)
const time = (): string => new Date().toISOString().replace('Z', '123Z')

const connected = (index: number): string =>
  `${time()}\tinfo\tdelta\tADS: new delta connection for node:cart-${index}.shop-1 from 10.1.0.7:41560`
const pushed = (index: number): string =>
  `${time()}\tinfo\tdelta\tCDS: PUSH for node:cart-${index}.shop-${index % 50} resources:412 removed:0 size:81.3kB cached:400/412 filtered:0`
const debounced = (index: number): string =>
  `${time()}\tinfo\tads\tPush debounce stable[${index}] 4 for config ServiceEntry/shop-${index % 50}/cart.shop.svc.cluster.local and 1 more configs: 100.2ms since last change, 100.2ms since last push, full=true`
const requested = (index: number): string =>
  `[${time()}] "GET /stock/${index} HTTP/1.1" 200 - via_upstream - "-" 0 18 2 2 "-" "curl/8.5.0" "0d4c7c0c-51d2-4a8e-b2a6-0a6c6a3f7b7e" "stock:80" "10.1.2.3:8080" outbound|80||stock.shop.svc.cluster.local 10.1.1.2:51234 10.96.0.7:80 10.1.1.2:41560 - default`
const failed = (index: number): string =>
  `[${time()}] "GET /stock/${index} HTTP/1.1" 503 UF upstream_reset_before_response_started{remote_connection_failure} - "-" 0 152 61 - "-" "curl/8.5.0" "8c5f0c63-3b11-4b5e-9d55-2f1d52b2f0ab" "stock:80" "10.1.2.2:8080" outbound|80||stock.shop.svc.cluster.local - 10.96.0.7:80 10.1.1.2:41544 - default`

const CASES: readonly Case[] = [
  { name: "istiod's log, 100,000 lines that tell nothing", create: istiod, line: connected },
  {
    name: "istiod's log, 100,000 lines, one in ten a push",
    create: istiod,
    line: (index) => (index % 10 === 0 ? debounced : connected)(index),
  },
  { name: "istiod's log, 100,000 sizes of what was sent", create: istiod, line: pushed },
  {
    name: 'access log, 100,000 lines, one in a hundred failed',
    create: envoy,
    line: (index) => (index % 100 === 0 ? failed : requested)(index),
  },
]

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  for (const one of CASES) yield* await measureOne(one, quick ? { lines: 10_000, times: 3 } : { lines: 100_000, times: 10 })
}

async function measureOne(
  { name, create, line }: Case,
  { lines, times }: { readonly lines: number; readonly times: number },
): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'))
  const path = join(folder, 'pod', '0.log')
  mkdirSync(join(folder, 'pod'))
  const write = (count: number): void =>
    appendFileSync(path, Array.from({ length: count }, (_, index) => `${time()} stdout F ${line(index)}\n`).join(''))
  const signal = new AbortController().signal
  try {
    write(1)
    let logs: readonly LogTarget[] = [{ name: 'uid', place: podLog(join(folder, 'pod')), labels: LABELS }]
    const source = create(() => logs)
    // What was there before is not counted, and the first reads are not as fast as the others.
    for (let time = 0; time < 2; time++) {
      await source.read(signal)
      write(lines)
    }
    await source.read(signal)
    const timings: Timing[] = []
    for (let time = 0; time < times; time++) {
      write(lines)
      timings.push(...(await timedOften(1, () => source.read(signal))))
    }
    logs = []
    await source.read(signal)
    const cpu = median(timings.map(({ cpuMs }) => cpuMs))
    return [
      { number: name, unit: 'ms', measured: median(timings.map(({ wallMs }) => wallMs)), beside: `CPU ${cpu.toFixed(0)} ms` },
      blockFigure(name, timings),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}
