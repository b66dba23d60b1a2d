// Long answers are read as they come in: of a ztunnel that has met 10,000 pairs of workloads, and of an istiod with 3,000 proxies.
import { readFileSync } from 'node:fs'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { createAskDebug } from '../src/sources/istiod-debug/asking.js'
import { summaryOf } from '../src/sources/istiod-debug/summary.js'
import { createWaits } from '../src/sources/istiod-debug/waits.js'
import { readZtunnel } from '../src/sources/ztunnel/stats.js'
import { createTraffic } from '../src/sources/ztunnel/traffic.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { CLOCK } from './flow-series.js'
import { median } from './statistics.js'
import { timedOften } from './timing.js'

const FIXTURES = new URL('../test/fixtures/istio/', import.meta.url)
/** As a socket hands it over. */
const PIECE = 64 << 10
const TIMES = 10

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const part = quick ? 10 : 1
  yield* await measureZtunnel(10_000 / part)
  yield* await measureDebug(3_000 / part)
}

async function measureZtunnel(pairs: number): Promise<readonly Figure[]> {
  const capture = readFileSync(new URL('ztunnel/1.prom', FIXTURES), 'utf8')
  const [line = ''] = /^istio_tcp_sent_bytes_total\{reporter="source".*$/m.exec(capture) ?? []
  const family = (name: string): string => `# TYPE ${name} counter\n${range(pairs, (index) => sampleOf(line, name, index)).join('')}`
  const names = ['sent_bytes', 'received_bytes', 'connections_opened', 'connections_closed'].map((name) => `istio_tcp_${name}`)
  const body = Buffer.from(`${capture.replaceAll(/^(# \w+ )?istio_tcp_.*\n|^# EOF\n/gm, '')}${names.map(family).join('')}# EOF\n`)
  const target = { name: 'uid', url: 'http://ztunnel', labels: {} }
  const traffic = createTraffic({ clock: CLOCK, turn: turnOfTheLoop })
  traffic.see(target)
  const read = async (): Promise<void> => traffic.add('uid', await readZtunnel(piecesOf(body), traffic.knownOf('uid')))
  return figuresOf(`a ztunnel with ${pairs.toLocaleString('en-US')} pairs of workloads`, body, read)
}

const sampleOf = (line: string, name: string, index: number): string =>
  `${line.replace('istio_tcp_sent_bytes', name).replace('source_workload="cart"', `source_workload="cart-${index}"`).replace(/\d+$/, '')}${index + 1}\n`

async function measureDebug(proxies: number): Promise<readonly Figure[]> {
  const [one] = JSON.parse(readFileSync(new URL('debug-syncz.json', FIXTURES), 'utf8')) as readonly { readonly proxy: string }[]
  const name = (index: number): string => `cart-${index}.shop`
  const statuses = Buffer.from(JSON.stringify(range(proxies, (index) => ({ ...one, proxy: name(index) }))))
  const clients = range(proxies, (index) => ({
    connectionId: `${name(index)}-${index}`,
    connectedAt: '2026-11-21T05:46:03Z',
    address: `10.1.${index >> 8}.${index & 255}:41560`,
  }))
  const connections = Buffer.from(JSON.stringify({ totalClients: proxies, clients }))
  const ask = createAskDebug(
    { read: (url, use) => use(piecesOf(url.endsWith('connections') ? connections : statuses)) },
    { token: async () => 'token', namespaces: [] },
  )
  const waits = createWaits()
  const read = async (): Promise<unknown> => {
    const answers = await ask({ name: 'uid', url: 'http://istiod/debug/syncz', labels: {} }, new AbortController().signal)
    return summaryOf(await waits.see(answers.statuses, answers.connections, CLOCK.now()))
  }
  return figuresOf(`an istiod with ${proxies.toLocaleString('en-US')} proxies, none up to date`, statuses, read)
}

async function figuresOf(what: string, body: Buffer, read: () => Promise<unknown>): Promise<readonly Figure[]> {
  const [, ...timings] = await timedOften(TIMES + 1, read)
  const cpu = median(timings.map(({ cpuMs }) => cpuMs))
  const beside = `CPU ${cpu.toFixed(0)} ms; ${(body.length / 1e6).toFixed(1)} MB`
  return [{ number: what, unit: 'ms', measured: median(timings.map(({ wallMs }) => wallMs)), beside }, blockFigure(what, timings)]
}

async function* piecesOf(body: Buffer): AsyncGenerator<string> {
  for (let start = 0; start < body.length; start += PIECE) {
    yield body.toString('latin1', start, start + PIECE)
    await turnOfTheLoop()
  }
}

const range = <T>(length: number, make: (index: number) => T): readonly T[] => Array.from({ length }, (_, index) => make(index))
