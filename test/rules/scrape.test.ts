// Label names are the same whatever scrapes: a real Prometheus with and without honor_labels, and as the Prometheus Operator has it do. By the
// latter the agents of a node are one instance, whatever their pods are called.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { catalogue } from '../../src/catalogue.js'
import { objectOf, renderObjects } from '../deploy/helm.js'
import { serveCatalogue } from '../http/catalogue-server.js'
import { eventually } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { listen, type Prometheus, runPrometheus } from '../prometheus.js'

const skip = reasonToSkip(['prometheus', 'helm']) ?? false

/** What discovery says of an agent's pod. */
const POD = { namespace: 'meshtoll', pod_name: 'meshtoll-agent-x7k2p', pod_container_name: 'agent', pod_node_name: 'n1' }
const copied = (from: keyof typeof POD, to: string): object => ({ source_labels: [`__meta_kubernetes_${from}`], target_label: to })

/** Which the Operator makes of any PodMonitor, before its own. */
const OF_OPERATOR = [
  copied('namespace', 'namespace'),
  copied('pod_container_name', 'container'),
  copied('pod_name', 'pod'),
  { target_label: 'job', replacement: 'operator' },
  { target_label: 'endpoint', replacement: 'http' },
]
const metaOf = (pod: object): object => Object.fromEntries(Object.entries(pod).map(([name, value]) => [`__meta_kubernetes_${name}`, value]))

interface PodMonitorSpec {
  readonly podMetricsEndpoints: readonly [{ readonly relabelings: readonly Readonly<Record<string, unknown>>[] }]
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What a Prometheus does for the PodMonitor of the chart. */
async function relabelConfigs(): Promise<readonly object[]> {
  const objects = await renderObjects({ values: { podMonitor: { enabled: true } } })
  const { podMetricsEndpoints } = objectOf(objects, 'PodMonitor')['spec'] as PodMonitorSpec
  const own = podMetricsEndpoints[0].relabelings.map((one) =>
    Object.fromEntries(Object.entries(one).map(([name, value]) => [snakeCase(name), value])),
  )
  return [...OF_OPERATOR, ...own]
}

const scrapeConfigs = async (target: string): Promise<readonly object[]> => [
  { job_name: 'plain', static_configs: [{ targets: [target] }] },
  { job_name: 'honest', honor_labels: true, static_configs: [{ targets: [target] }] },
  { job_name: 'pod-monitor', static_configs: [{ targets: [target], labels: metaOf(POD) }], relabel_configs: await relabelConfigs() },
]
const GLOBAL = { scrape_interval: '1s', scrape_timeout: '1s' }

const ADDED = ['__name__', 'job', 'instance', 'namespace', 'pod', 'container', 'endpoint', 'node']

/** Names of labels by series, those that a scrape adds taken off. */
async function labelsOf(prometheus: Prometheus, job: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const samples = await prometheus.query(`{job="${job}",__name__=~"(meshtoll|process)_.*"}`)
  const each = samples.map(({ metric }) => [
    metric['__name__'],
    Object.keys(metric)
      .filter((label) => !ADDED.includes(label))
      .sort(),
  ])
  return Object.fromEntries(each)
}

t.test('a scrape', { skip }, async (t) => {
  const server = await serveCatalogue()
  t.teardown(() => server.close(AbortSignal.abort()))
  const config = { global: GLOBAL, scrape_configs: await scrapeConfigs(new URL(server.url).host) }
  const prometheus = await runPrometheus({ folder: t.testdir(), config, rules: {} })
  t.teardown(() => prometheus.stop())
  await eventually('all jobs are scraped', async () => ((await prometheus.value('sum(up)')) === 3 ? true : undefined), 30_000)

  const wanted = catalogue.filter(({ kind }) => kind !== 'histogram').map(({ name, labels }) => [name, labels.toSorted()])
  const plain = await labelsOf(prometheus, 'plain')
  t.match(plain, Object.fromEntries(wanted), 'names labels as the catalogue does')
  t.same(await labelsOf(prometheus, 'honest'), plain, 'and with honor_labels')
  t.same(await labelsOf(prometheus, 'operator'), plain, 'and by a PodMonitor')
  const labels = await prometheus.query(
    'count by (namespace, pod, container, endpoint, node, instance) (meshtoll_build_info{job="operator"})',
  )
  const { namespace, pod_container_name: container, pod_node_name: node } = POD
  t.same(labels[0]?.metric, { namespace, container, endpoint: 'http', node, instance: node }, 'which adds where it was')
})

/** An agent that serves a total, on a port of its own as if its pod had another address. */
async function serveTotal(total: () => number): Promise<{ readonly server: Server; readonly target: string }> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(`meshtoll_zone_bytes_total{scope="cross_zone"} ${total()}\n`)
  })
  return { server, target: `127.0.0.1:${await listen(server)}` }
}

t.test('an upgrade, by a PodMonitor', { skip }, async (t) => {
  let total = 1_000
  const agents = [await serveTotal(() => total), await serveTotal(() => total)]
  for (const { server } of agents) t.teardown(() => void server.close())
  const folder = t.testdir()
  const discover = (index: number): Promise<void> => {
    const pod = { ...POD, pod_name: `meshtoll-agent-${index}` }
    return writeFile(join(folder, 'pods.json'), JSON.stringify([{ targets: [agents[index]?.target], labels: metaOf(pod) }]))
  }
  await discover(0)
  const discovery = [{ files: [join(folder, 'pods.json')], refresh_interval: '1s' }]
  const config = {
    global: GLOBAL,
    scrape_configs: [{ job_name: 'pod-monitor', file_sd_configs: discovery, relabel_configs: await relabelConfigs() }],
  }
  const prometheus = await runPrometheus({ folder, config, rules: {} })
  t.teardown(() => prometheus.stop())
  const scraped = () =>
    eventually(
      `${total} bytes`,
      async () => ((await prometheus.value('max(meshtoll_zone_bytes_total)')) === total ? true : undefined),
      30_000,
    )
  await scraped()

  const [first] = agents
  first?.server.close()
  if (first) await once(first.server, 'close')
  // The kernel's table counts on between the two.
  total += 5_000
  await discover(1)
  await scraped()
  total += 200
  await scraped()
  const series = await prometheus.query('meshtoll_zone_bytes_total[10m]')
  const grown = series.map(({ values }) => Number(values.at(-1)?.[1]) - Number(values[0]?.[1]))
  t.same(grown, [5_200], 'one series, whose last less its first sample is what was sent')
})
