// Label names are the same whatever scrapes: a real Prometheus with and without honor_labels, and as the Prometheus Operator has it do.
import t from 'tap'
import { catalogue } from '../../src/catalogue.js'
import { serveCatalogue } from '../http/catalogue-server.js'
import { eventually } from '../lab/world.js'
import { reasonToSkip } from '../peers/needed.js'
import { type Prometheus, runPrometheus } from '../prometheus.js'

const skip = reasonToSkip(['prometheus']) ?? false

/** What discovery says of an agent's pod. */
const POD = { namespace: 'meshtoll', pod_name: 'meshtoll-agent-x7k2p', pod_container_name: 'agent', pod_node_name: 'n1' }
const copied = (from: keyof typeof POD, to: string): object => ({ source_labels: [`__meta_kubernetes_${from}`], target_label: to })

/** Which the Operator makes of a PodMonitor, and the one of the chart's. */
const OF_OPERATOR = [
  copied('namespace', 'namespace'),
  copied('pod_container_name', 'container'),
  copied('pod_name', 'pod'),
  { target_label: 'job', replacement: 'operator' },
  { target_label: 'endpoint', replacement: 'http' },
  copied('pod_node_name', 'node'),
]
const meta = Object.fromEntries(Object.entries(POD).map(([name, value]) => [`__meta_kubernetes_${name}`, value]))

const scrapeConfigs = (target: string): readonly object[] => [
  { job_name: 'plain', static_configs: [{ targets: [target] }] },
  { job_name: 'honest', honor_labels: true, static_configs: [{ targets: [target] }] },
  { job_name: 'pod-monitor', static_configs: [{ targets: [target], labels: meta }], relabel_configs: OF_OPERATOR },
]

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
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: scrapeConfigs(new URL(server.url).host) }
  const prometheus = await runPrometheus({ folder: t.testdir(), config, rules: {} })
  t.teardown(() => prometheus.stop())
  await eventually('all jobs are scraped', async () => ((await prometheus.value('sum(up)')) === 3 ? true : undefined), 30_000)

  const wanted = catalogue.filter(({ kind }) => kind !== 'histogram').map(({ name, labels }) => [name, labels.toSorted()])
  const plain = await labelsOf(prometheus, 'plain')
  t.match(plain, Object.fromEntries(wanted), 'names labels as the catalogue does')
  t.same(await labelsOf(prometheus, 'honest'), plain, 'and with honor_labels')
  t.same(await labelsOf(prometheus, 'operator'), plain, 'and by a PodMonitor')
  const labels = await prometheus.query('count by (namespace, pod, container, endpoint, node) (meshtoll_build_info{job="operator"})')
  const { namespace, pod_name: pod, pod_container_name: container, pod_node_name: node } = POD
  t.same(labels[0]?.metric, { namespace, pod, container, endpoint: 'http', node }, 'which adds where it was')
})
