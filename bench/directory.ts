// The directory as built, with TLS: 100,000 pods on 5,000 nodes, and 1,000 agents with 2,000 addresses each that come at once, as they do
// when the other replica ends; then 5,000 pods are restarted. API server and agents are processes of their own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createAuthority, createCertificate } from '../test/http/certificates.js'
import { startAsked } from './asked.js'
import type { ClusterSize } from './cluster.js'
import type { AgentsAnswer, AgentsAsked, AgentsGiven } from './directory-agents.js'
import type { BenchOptions, Figure } from './figure.js'
import { largest, median } from './statistics.js'

interface Size extends ClusterSize {
  readonly agents: number
  readonly addresses: number
  readonly restarted: number
}

const FULL: Size = { nodes: 5_000, pods: 100_000, agents: 1_000, addresses: 2_000, restarted: 5_000 }
const QUICK: Size = { nodes: 500, pods: 10_000, agents: 100, addresses: 500, restarted: 500 }
const PROCESSES = 2
/** Some 2,000 pods a second, for which a whole cluster would have to be restarted at once. */
const RESTART_EVERY_MS = 0.5
const READY_WITHIN_MS = 180_000
const SETTLE_MS = 15_000
const SERVED_WITHIN_MS = 30_000
/** 300 MB. */
const MOST_MEBIBYTES = 286

const MAIN = join(process.env['MESHTOLL_DIST'] ?? fileURLToPath(new URL('../dist', import.meta.url)), 'main.js')
/** As the chart has it. */
const ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '16384' }
const NODE_FLAGS = (process.env['MESHTOLL_NODE_FLAGS'] ?? '').split(' ').filter(Boolean)

export async function* measure({ quick }: BenchOptions): AsyncIterable<Figure> {
  const size = quick ? QUICK : FULL
  const api = startAsked<{ readonly roll?: object }, { readonly port: number }>(undefined, 'cluster-server.ts', { argument: size })
  const { port } = await api.ask({})
  const directory = await startDirectory(port)
  const agents = startAgents(directory, size)
  const many = `${size.agents.toLocaleString('en-US')} agents`
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

  yield memory(`directory knows ${size.pods.toLocaleString('en-US')} pods`, directory, `after ${seconds(directory.readyMs)}`)
  await untilCounting(directory)
  yield memory(`it counts ${(size.pods / 5).toLocaleString('en-US')} EndpointSlices as well`, directory)
  for (const [what, goOn] of [
    [`${many} come at once`, false],
    [`${many} come again at once, from another replica`, false],
    [`${many} come again at once, from the same one`, true],
  ] as const) {
    const cpuBefore = cpuSecondsOf(directory.pid)
    const { servedMs, told, megabytes } = await agents({ connect: { goOn } })
    const cpu = cpuSecondsOf(directory.pid) - cpuBefore
    const beside = `median ${seconds(median(servedMs))}; ${told.toLocaleString('en-US')} addresses told, ${megabytes.toFixed(0)} MB, CPU ${cpu.toFixed(1)} s`
    yield { number: `${what}: all served`, unit: 'ms', measured: largest(servedMs), bar: { most: SERVED_WITHIN_MS }, beside }
    yield memory(what, directory)
  }
  await sleep(quick ? 0 : SETTLE_MS)
  yield memory(`${many} listen`, directory)
  yield* await restart({ size, directory, agents, api })
  directory.child.kill('SIGTERM')
  const stopAt = performance.now()
  await once(directory.child, 'exit')
  yield { number: 'directory stops', unit: 'ms', measured: performance.now() - stopAt, bar: { most: 2_000 } }
  await Promise.all([agents.stop(), api.stop()])
}

interface Running {
  readonly child: ChildProcess
  readonly pid: number
  readonly url: string
  readonly ca: string
  readonly readyMs: number
  log(): string
}

async function startDirectory(apiPort: number): Promise<Running> {
  const folder = await mkdtemp('/run/lab/bench-')
  const authority = createAuthority(folder, 'authority')
  createCertificate(folder, 'server', authority)
  await writeFile(join(folder, 'web.yaml'), 'tls_server_config: {cert_file: server.crt, key_file: server.key}')
  const kubeconfig = {
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${apiPort}` } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'meshtoll' } }],
    users: [{ name: 'u', user: {} }],
    'current-context': 'c',
  }
  await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig))
  await writeFile(join(folder, 'meshtoll.yaml'), JSON.stringify({ kubernetes: { kubeconfig: 'kubeconfig' } }))
  const flags = [`--config.file=${folder}/meshtoll.yaml`, `--web.config.file=${folder}/web.yaml`, '--web.listen-address=127.0.0.1:0']
  const start = performance.now()
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, 'directory', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...ENVIRONMENT },
  })
  let log = ''
  child.stderr.on('data', (piece: Buffer) => {
    log += piece
  })
  while (!log.includes('all is known')) {
    if (child.exitCode !== null || performance.now() - start > READY_WITHIN_MS) throw new Error(`the directory is not ready: ${log}`)
    await sleep(50)
  }
  const [, url = ''] = /url=(https:\S+)/.exec(log) ?? []
  return { child, pid: child.pid ?? -1, url, ca: authority.cert, readyMs: performance.now() - start, log: () => log }
}

/** Nobody else may have the Lease: some 17 s later it has, and then it lists. */
async function untilCounting({ log }: Running): Promise<void> {
  const start = performance.now()
  while (!log().includes('all endpoints are known')) {
    if (performance.now() - start > READY_WITHIN_MS) throw new Error(`the directory counts no endpoints: ${log()}`)
    await sleep(50)
  }
}

type Agents = ((asked: AgentsAsked) => Promise<AgentsAnswer>) & { stop(): Promise<unknown> }

function startAgents({ url, ca }: Running, { agents, addresses, nodes, pods }: Size): Agents {
  const each = agents / PROCESSES
  const programs = Array.from({ length: PROCESSES }, (_, index) =>
    startAsked<AgentsAsked, AgentsAnswer>(undefined, 'directory-agents.ts', {
      argument: { url, ca, first: index * each, agents: each, addresses, nodes, pods } satisfies AgentsGiven,
    }),
  )
  const askAll = async (asked: AgentsAsked): Promise<AgentsAnswer> => {
    const answers = await Promise.all(programs.map(({ ask }) => ask(asked)))
    return {
      servedMs: answers.flatMap(({ servedMs }) => servedMs),
      told: answers.reduce((sum, { told }) => sum + told, 0),
      megabytes: answers.reduce((sum, { megabytes }) => sum + megabytes, 0),
    }
  }
  return Object.assign(askAll, { stop: () => Promise.all(programs.map(({ stop }) => stop())) })
}

interface Parts {
  readonly size: Size
  readonly directory: Running
  readonly agents: Agents
  readonly api: { ask(request: { readonly roll?: object }): Promise<unknown> }
}

/** How long after the last of them all have heard. */
async function restart({ size, directory, agents, api }: Parts): Promise<readonly Figure[]> {
  const start = performance.now()
  const cpuBefore = cpuSecondsOf(directory.pid)
  const heard = agents({ restarted: { every: size.pods / size.restarted } })
  await api.ask({ roll: { pods: size.restarted, everyMs: RESTART_EVERY_MS } })
  const rolledMs = performance.now() - start
  const { servedMs, told, megabytes } = await heard
  const cpu = cpuSecondsOf(directory.pid) - cpuBefore
  const what = `${size.restarted.toLocaleString('en-US')} pods are restarted`
  const beside = `within ${(rolledMs / 1_000).toFixed(1)} s; ${told.toLocaleString('en-US')} addresses told, ${megabytes.toFixed(0)} MB, CPU ${cpu.toFixed(1)} s`
  return [
    { number: `${what}: all have heard, after the last`, unit: 'ms', measured: Math.max(0, largest(servedMs) - rolledMs), beside },
    memory(what, directory),
  ]
}

function memory(when: string, { pid }: Running, beside = ''): Figure {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mebibytesOf = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024
  const peak = `VmHWM ${mebibytesOf('VmHWM').toFixed(0)} MiB`
  return {
    number: `directory memory (VmRSS), ${when}`,
    unit: 'MiB',
    measured: mebibytesOf('VmRSS'),
    bar: { most: MOST_MEBIBYTES },
    beside: beside === '' ? peak : `${peak}; ${beside}`,
  }
}

const TICKS_A_SECOND = 100

function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}
