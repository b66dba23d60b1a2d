// From an empty cluster to an alert that fires, by docs/install.md alone: its files and commands, a real helm and API server, the image's containers on
// three nodes, and a real Prometheus that has its targets and rules from the objects that an operator would read.
import { execFile } from 'node:child_process'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import { isInWorld } from '../../src/lab/world.js'
import { CLUSTER_PEERS } from '../cluster/cluster.js'
import { reachFrom } from '../cluster/reach.js'
import { startIntake } from '../datadog/intake.js'
import type { SentPoint } from '../datadog/judge.js'
import { endOf } from '../lab/agents.js'
import { eventually, worldTest } from '../lab/world.js'
import { programOf, reasonToSkip } from '../peers/needed.js'
import { renderChart } from './helm.js'
import { buildImage, HERE, handImage } from './image.js'
import { createNewUser, readSection } from './new-user.js'
import { createEmptyCluster, endPods, replacePods, ruleNow, type Started, scrape, startPods } from './stand-ins.js'

const RULES = join(import.meta.dirname, '../../deploy/prometheus')
const ALERT = 'CrossZoneBytesHigh'
/** On the loopback of each node. */
const INTAKE_PORT = 8126
/** What would take minutes otherwise, and where Datadog is. */
const QUICK = {
  config: {
    flows: { interval: '1s' },
    identity: { handover: '1s' },
    datadog: { url: `http://127.0.0.1:${INTAKE_PORT}`, flushInterval: '10s' },
  },
  prometheusRule: { recording: { window: '10s' } },
}

/** As the Metrics Explorer is asked. */
const queriesIn = (code: string) =>
  [...code.matchAll(/^sum:([\w.]+)\{(\S+)\}\s+by \{(\S+)\}\.as_/gm)].map(([, metric = '', only = '', by = '']) => ({
    metric,
    only,
    by: by.split(','),
  }))

const skip = reasonToSkip([...CLUSTER_PEERS, 'helm', 'prometheus']) ?? false

t.setTimeout(300_000)
if (!isInWorld() && !skip) {
  t.test('Prometheus without the Operator takes what it is given', async (t) => {
    const folder = t.testdir()
    const { files } = await readSection('Prometheus without the Operator')
    await cp(RULES, folder, { recursive: true })
    await writeFile(join(folder, 'prometheus.yml'), files['prometheus.yml'] ?? '')
    const { stdout } = await promisify(execFile)(programOf('prometheus', 'promtool'), ['check', 'config', join(folder, 'prometheus.yml')])
    t.equal(stdout.match(/SUCCESS: \d+ rules found/g)?.length, 4)
  })

  t.test('Datadog only: agents push, and nobody is told to scrape', async (t) => {
    const { files, commands } = await readSection('Datadog only')
    const text = await renderChart({ values: parse(files['meshtoll-values.yaml'] ?? '') })
    t.match(text, /name: DD_API_KEY\n +valueFrom:\n +secretKeyRef:\n +name: datadog\n +key: api-key\n/)
    t.match(text, /datadog:\n +enabled: true\n/)
    t.notMatch(text, 'prometheus.io/scrape')
    t.same(commands[0]?.slice(-2), ['datadog', '--from-literal=api-key=YOUR_API_KEY'], 'of that name, and that key')
  })
  handImage(await buildImage(t.testdir(), HERE))
}

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('as docs/install.md says', { skip }, async (t) => {
      const { topology, cluster } = await createEmptyCluster(t)
      const install = await readSection('Kubernetes')
      const [file = ''] = Object.keys(install.files)
      let agents: readonly Started[] = []
      const pods = {
        logs: async () => (agents[0] as Started).program.stderr(),
        rollout: async () => {
          agents = await startPods(t, topology, cluster)
          return ''
        },
        exec: async (rest: readonly string[]) => {
          const { pod } = agents[0] as Started
          const program = pod.start(pod.spec.containers[0], rest.slice(rest.indexOf('--') + 1))
          await endOf(program)
          return program.stdout()
        },
      }
      const quick = { 'quick.yaml': JSON.stringify(QUICK) }
      const user = await createNewUser({ ...install.files, ...quick }, { cluster, folder: cluster.folder, pods })
      const said = new Map<string, string>()
      for (const command of install.commands) {
        const more = command[1] === 'install' ? ['--values', 'quick.yaml'] : []
        said.set(command.slice(0, 2).join(' '), await user.run([...command, ...more]))
      }
      t.equal(file, 'meshtoll-values.yaml')
      t.match(said.get('helm install'), 'STATUS: deployed')
      const checked = said.get('kubectl --namespace') ?? ''
      t.match(checked, /^ok +capabilities +CAP_NET_ADMIN$/m)
      t.match(checked, /^ok +kubernetes +https:.* with 6 pods/m)
      t.notMatch(checked, /^fail/m)
      for (const { program } of agents) t.notMatch(program.stderr(), /level=error|RBAC/)

      await topology.peer('p2a').listenTcp({ port: 8080 })
      await topology.peer('p1a').pace({ protocol: 'tcp', to: '10.1.2.2', port: 8080, bytesPerSecond: 100_000 })
      const before = await scrape(cluster, agents)
      const crosses = 'cluster:meshtoll_cross_zone_bytes:rate'
      await eventually('something crosses', async () => ((await before.value(crosses)) > 50_000 ? true : undefined), 60_000)
      t.equal(await before.firing(ALERT), undefined, 'nobody is woken by that')
      await before.stop()

      const fire = await readSection('See an alert fire')
      const [upgrade = [], rollback = []] = fire.commands
      const installed = await ruleNow(cluster)
      await user.run(upgrade)
      const after = await scrape(cluster, agents)
      t.teardown(() => after.stop())
      const alert = await eventually('it fires', () => after.firing(ALERT), 60_000)
      t.match(alert.annotations, { runbook_url: `https://git.example.com/meshtoll/docs/runbooks/${ALERT}.md` })
      const queries = fire.code.split('\n').map((line) => line.split(/ {2,}/)[0] ?? '')
      t.equal(queries.length, 4)
      for (const query of queries) t.ok((await after.query(query)).length > 0, query)

      await user.run(rollback)
      t.same(await ruleNow(cluster), installed, 'back to what it was')
      await after.stop()

      const datadog = await readSection('Datadog', 'README.md')
      const intake = await startIntake(t, { now: Date.now, key: 'YOUR_API_KEY' })
      const nodes = topology.spec.nodes.map(({ name }) => name)
      const target = () => Number(new URL(intake.url).port)
      const reach = await reachFrom(topology, nodes, { port: INTAKE_PORT, folder: cluster.folder, target })
      t.teardown(() => reach.close())
      const [secret = [], switchOn = [], logs = []] = datadog.commands
      await user.run(secret)
      t.match(await user.run(switchOn), 'STATUS: deployed')
      agents = await replacePods(t, { topology, cluster, agents })
      for (const { metric, only, by } of queriesIn(datadog.code)) {
        const has = ({ metric: name, tags }: SentPoint): boolean =>
          name === metric && tags.includes(only) && by.every((key) => tags.some((tag) => tag.startsWith(`${key}:`)))
        await eventually(`${metric} of ${only}`, () => intake.points().find(has), 60_000)
      }
      t.same(intake.problems, [])
      const isThere = (node: string) => intake.points().find(({ metric, host }) => metric === 'meshtoll.build.info' && host === node)
      for (const node of nodes) await eventually(`${node} is there`, () => isThere(node), 30_000)
      const sent = intake.points()
      for (const tag of ['env:prod', 'kube_cluster_name:main'])
        t.ok(
          sent.every(({ tags }) => tags.includes(tag)),
          tag,
        )
      t.match(await user.run(logs), /level=info msg="what is counted is sent to Datadog" url=http:\S+ interval_ms=10000/)

      const [uninstall = []] = (await readSection('Away again')).commands
      const [left] = await Promise.all([user.run(uninstall), endPods(t, { topology, cluster, agents })])
      t.match(left, 'release "meshtoll" uninstalled')
      await t.rejects(ruleNow(cluster), 'nothing of it is left')
    })
  },
  { timeoutMs: 300_000 },
)
