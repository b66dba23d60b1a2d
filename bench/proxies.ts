// What it costs to ask the proxies of a full node: the built agent with 250 of them against one without any, and one round in this process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createWhose } from '../src/agent/whose.js'
import { createTotals } from '../src/ledger/totals/totals.js'
import { createPauses } from '../src/pauses.js'
import { createEnvoy } from '../src/sources/envoy/source.js'
import { createHttpGet } from '../src/sources/http-get.js'
import { type Asked, startAsked } from './asked.js'
import { blockFigure } from './block.js'
import type { BenchOptions, Figure } from './figure.js'
import { CLOCK } from './flow-series.js'
import { readUsage, type Usage } from './node-agent.js'
import type { ProxiesAnswer, ProxiesGiven } from './proxy-server.js'
import { median } from './statistics.js'
import { timedOften } from './timing.js'

const PROXIES = 250
const MOST_CORE = 0.02
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const SETTLE_MS = 45_000
const WATCH_MS = 120_000

interface Case extends ProxiesGiven {
  readonly what: string
  readonly hasBar?: true
}

const USUAL = { proxies: PROXIES, failing: 10, isFiltered: true, silent: 0 }
const CASES: readonly Case[] = [
  { ...USUAL, what: '250 proxies', hasBar: true },
  { ...USUAL, what: '250 proxies that honour no filter', isFiltered: false },
  { ...USUAL, what: '250 proxies, half of them dead', silent: PROXIES / 2 },
]

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const servers = CASES.map((one) => startAsked<object, ProxiesAnswer>(undefined, 'proxy-server.ts', { argument: one }))
  const ports = await Promise.all(servers.map(async (server) => (await server.ask({})).ports))
  const agents = await Promise.all([[], ...ports].map((own, index) => startAgent(own, index)))
  await sleep(quick ? 20_000 : SETTLE_MS)
  const watched = await Promise.all(agents.map(({ pid }) => watch(pid, quick ? 16_000 : WATCH_MS)))
  await Promise.all(agents.map(({ stop }) => stop()))
  const [without, ...withProxies] = watched
  for (const [index, one] of CASES.entries()) yield* figuresOf(one, { without, watched: withProxies[index] } as Compared)
  const [first] = servers
  yield* await roundOf(ports[0] ?? [], quick ? 3 : 11, first as Asked<object, ProxiesAnswer>)
  await Promise.all(servers.map((server) => server.stop()))
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}/stats/prometheus`

async function startAgent(ports: readonly number[], index: number) {
  const folder = await mkdtemp('/run/lab/bench-')
  const targets = ports.map((port, id) => ({
    url: urlOf(port),
    zone: 'z1',
    namespace: 'shop',
    ownerKind: 'Deployment',
    ownerName: `cart-${id % 50}`,
  }))
  const config = join(folder, 'meshtoll.yaml')
  await writeFile(config, JSON.stringify({ node: { name: 'n1', zone: 'z1' }, flows: { enabled: false }, envoy: { targets } }))
  const argv = [MAIN, 'agent', `--config.file=${config}`, `--state.dir=${folder}`, `--web.listen-address=127.0.0.1:${11_042 + index}`]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] })
  const stop = async (): Promise<void> => {
    const gone = once(child, 'exit')
    child.kill()
    await gone
  }
  return { pid: child.pid ?? -1, stop }
}

interface Watched extends Usage {
  readonly cores: number
}

async function watch(pid: number, ms: number): Promise<Watched> {
  const [before, start] = [await readUsage(pid), performance.now()]
  await sleep(ms)
  const after = await readUsage(pid)
  return { ...after, cores: (after.cpuSeconds - before.cpuSeconds) / ((performance.now() - start) / 1_000) }
}

interface Compared {
  readonly without: Watched
  readonly watched: Watched
}

function figuresOf({ what, hasBar }: Case, { without, watched }: Compared): readonly Figure[] {
  const beside = `without any ${without.cores.toFixed(4)} core, ${Math.round(without.rssMiB)} MiB`
  return [
    {
      number: `agent CPU for ${what}`,
      unit: 'core',
      measured: watched.cores - without.cores,
      ...(hasBar ? { bar: { most: MOST_CORE } } : {}),
      beside,
    },
    { number: `agent memory (VmRSS) for ${what}`, unit: 'MiB', measured: watched.rssMiB - without.rssMiB },
  ]
}

/** All at once, as at the start: asked, parsed and added up. */
async function roundOf(ports: readonly number[], times: number, server: Asked<object, ProxiesAnswer>): Promise<readonly Figure[]> {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const deps = { clock: CLOCK, log }
  const http = createHttpGet({ deadlineMs: 3_000, maxBytes: 8 << 20 }, deps)
  const labels = (id: number) => ({ owner_zone: 'z1', owner_namespace: 'shop', owner_kind: 'Deployment', owner_name: `cart-${id % 50}` })
  const targets = ports.map((port, id) => ({ name: urlOf(port), url: urlOf(port), labels: labels(id) }))
  const whose = createWhose({ pods: { find: () => undefined }, zone: () => 'z1', patienceMs: 0 }, deps)
  const { pause } = createPauses(CLOCK)
  const round = async (): Promise<void> => {
    const source = createEnvoy(
      { open: async () => http, targets: () => targets, agents: () => [], intervalMs: 15_000, agentIntervalMs: 'off' },
      deps,
    )
    const totals = createTotals({ idleMs: 3_600_000, families: source.families }, deps)
    const { readings } = await source.read(new AbortController().signal)
    for (const _ of totals.posting('envoy', (await whose(readings)).totals, CLOCK.now())) await pause()
  }
  const before = await server.ask({})
  const timings = await timedOften(times, round)
  const after = await server.ask({})
  await http.close()
  const what = 'one round of 250 proxies'
  const cpu = median(timings.map(({ cpuMs }) => cpuMs))
  const beside = `CPU ${cpu.toFixed(0)} ms; answers of ${Math.round((after.bytes - before.bytes) / (after.asked - before.asked))} bytes`
  return [{ number: what, unit: 'ms', measured: median(timings.map(({ wallMs }) => wallMs)), beside }, blockFigure(what, timings)]
}
