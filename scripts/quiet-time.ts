// Records test/rules/quiet-time.json: what a real Prometheus has of a time in which nothing happens that anybody should be woken by.
//   node --import tsx scripts/quiet-time.ts [--minutes 60] [--out FILE]
// The mesh of test/mesh with an agent on each node, default options, light traffic within and across zones, a pod that is replaced every five
// minutes, and an agent that is restarted. Nothing is simulated: it takes as long as it says, and what there is so far is written every five minutes.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import tap, { type Test } from 'tap'
import { nodeCommand } from '../src/lab/program.js'
import type { Topology } from '../src/lab/topology.js'
import { enterWorld, isInWorld } from '../src/lab/world.js'
import { createToken } from '../test/cluster/access.js'
import { createClusterLab } from '../test/cluster/agents.js'
import { untilCovering } from '../test/cluster/directories.js'
import { writeKubeconfig } from '../test/cluster/kubeconfig.js'
import { namesIn, readRules } from '../test/known-series.js'
import { startPrometheus } from '../test/lab/prometheus.js'
import { createMesh } from '../test/mesh/mesh.js'
import { flipEndpoints } from '../test/mesh/services.js'
import { PLACES } from '../test/mesh/workloads.js'
import type { Prometheus, Sample } from '../test/prometheus.js'
import { alignSamples, writeSeries } from './promtool-series.js'
import { renderRuleFiles } from './rules.js'

const INTERVAL_SECONDS = 30
const EVERY_MINUTES = 5
const RESTARTED_AFTER_MINUTES = 20
/** A pod's would be renewed. */
const TOKEN_SECONDS = 6 * 3_600
const FIRED = 'count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[1d]))'
const POD_IS_AWAY_MS = 2_000
const PODS = '/var/log/pods'
const PORT = 9000
/** In bytes/s, from cart. */
const STREAMS = [
  { protocol: 'tcp', to: PLACES.checkout.address, port: PORT, bytesPerSecond: 100_000 },
  { protocol: 'tcp', to: PLACES.flapper.address, port: PORT, bytesPerSecond: 20_000 },
  { protocol: 'tcp', to: '10.1.1.3', port: PORT, bytesPerSecond: 200_000 },
  { protocol: 'udp', to: '198.51.100.7', port: PORT, bytesPerSecond: 5_000 },
] as const

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    out: { type: 'string', default: join(import.meta.dirname, '../test/rules/quiet-time.json') },
  },
})

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function record(): Promise<void> {
  const undo: (() => unknown)[] = []
  const t = { teardown: (act: () => unknown) => undo.push(act) } as unknown as Test
  try {
    await recordInMesh(t)
  } finally {
    for (const act of undo.reverse()) await act()
  }
}

async function recordInMesh(t: Test): Promise<void> {
  const lab = await createClusterLab(t)
  const { cluster, account } = lab
  const token = await createToken(cluster.admin, { ...account, expirationSeconds: TOKEN_SECONDS })
  await writeKubeconfig(cluster, { token, namespace: account.namespace })
  const mesh = await createMesh(t, lab)
  // In a world of its own: the machine's is as it was.
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/var/log'])
  mkdirSync(PODS)
  execFileSync('mount', ['--bind', mesh.logs, PODS])
  const agents = await lab.startAgents({ inventory: [{ cidr: '198.51.100.0/24', external: true }] })
  await untilCovering(() => agents.all.map((agent) => agent.log()))
  const rules = Object.entries(renderRuleFiles()).filter(([file]) => !file.endsWith('prometheusrule.yaml'))
  const prometheus = await startPrometheus({
    agents: agents.all,
    interval: `${INTERVAL_SECONDS}s`,
    rules: Object.fromEntries(rules.map(([file, text]) => [basename(file), text])),
  })
  t.teardown(() => prometheus.stop())
  await carry(lab.topology)
  const ends = performance.now() + Number(given.minutes) * 60_000
  for (let minutes = 0; performance.now() < ends; ) {
    await sleep(Math.min(EVERY_MINUTES * 60_000, ends - performance.now()))
    minutes += EVERY_MINUTES
    writeFileSync(given.out, await seriesOf(prometheus, Math.min(minutes, Number(given.minutes))))
    await flipEndpoints(cluster.admin, mesh.services.flapper, 2, POD_IS_AWAY_MS)
    if (minutes === RESTARTED_AFTER_MINUTES) await agents.on('n2').restart()
    for (const { metric } of await prometheus.query(FIRED)) say(`within ${minutes} minutes: ${metric['alertname']} fired`)
  }
}

/** What goes on in a cluster that is well. */
async function carry(topology: Topology): Promise<void> {
  for (const name of ['p1b', 'p2a', 'p3a']) await topology.peer(name).listenTcp({ port: PORT })
  await topology.peer('internet').listenUdp({ port: PORT })
  for (const stream of STREAMS) await topology.peer(PLACES.cart.in).pace(stream)
}

/** Of all that rules read. */
async function seriesOf(prometheus: Prometheus, minutes: number): Promise<string> {
  const names = new Set(readRules().flatMap(({ expr }) => namesIn(expr).map(({ name }) => name)))
  const read = [...names].filter((name) => !name.includes(':'))
  const count = (minutes * 60) / INTERVAL_SECONDS
  const samples = await prometheus.query(`{__name__=~"up|${read.join('|')}"}[${minutes + 1}m]`)
  const firsts = new Map(
    samples.filter(({ metric }) => metric['__name__'] === 'up').map(({ metric, values }) => [metric['instance'], values[0]?.[0] ?? 0]),
  )
  const lines = samples.map((sample) => {
    const first = firsts.get(sample.metric['instance']) ?? 0
    const text = writeSeries(alignSamples(sample.values, { first, interval: INTERVAL_SECONDS, count }))
    return `    ${JSON.stringify(nameOf(sample))}: ${JSON.stringify(text)}`
  })
  const head = { recorded: new Date().toISOString().slice(0, 10), interval: `${INTERVAL_SECONDS}s`, minutes }
  const fields = Object.entries(head).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
  return `{\n${[...fields, `  "series": {\n${lines.sort().join(',\n')}\n  }`].join(',\n')}\n}\n`
}

/** As PromQL has it; by the name of its node, since ports are others each time. */
function nameOf({ metric }: Sample): string {
  const { __name__: name, ...labels } = metric
  const kept = Object.entries({ ...labels, instance: `${labels['node']}:10042` }).filter(([, value]) => value !== '')
  return `${name}{${kept.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`
}

// Helpers of tests bring it along, and it would end this as a test that hangs.
tap.setTimeout(0)
// Inside, whatever still runs ends with the world.
if (isInWorld()) await record()
process.exit(isInWorld() ? 0 : await enterWorld([...nodeCommand(import.meta.filename), ...process.argv.slice(2)]))
