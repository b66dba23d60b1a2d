// What a real Prometheus makes of real agents: every byte that was sent, answers to every panel, alerts that are told to a webhook and cleared, and
// nothing of an agent's death.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { AGO, createAsking } from '../asked-panels.js'
import { reasonToSkip } from '../peers/needed.js'
import type { Prometheus } from '../prometheus.js'
import { rulesWith } from '../quick-rules.js'
import { flowBytes, inventoryOf } from './agents.js'
import { balances, createLab, ONE_NODE } from './lab.js'
import { startAlertmanager, startPrometheus } from './prometheus.js'
import { THREE_ZONES } from './three-zones.js'
import { eventually, worldTest } from './world.js'

const INTERVAL = '2s'
/** So that every series is scraped at 0 first. */
const ZERO_FIRST = '8s'
/** Of rates, in which a restart of some seconds is to be lost. */
const WINDOW_SECONDS = 20
const STEADY = 2_000_000
const BUDGET = 4_000_000
const BURST = 8_000_000

/** Queries of panels that have no answer here, although all that they ask has samples. What has none here, test/mesh asks. */
const NOT_IN_THE_LAB: Readonly<Record<string, string>> = {
  ...Object.fromEntries(AGO.map((query) => [query, 'it began just now'])),
  'Control plane / Of which cross zones A': 'nobody is called istiod',
  'Control plane / Sent by istiods A': 'nobody is called istiod',
  'Control plane / Who istiod sends most to A': 'nobody is called istiod',
  'Control plane / istiod, from zone to zone A': 'nobody is called istiod',
  "Overview / istiod's share A": 'nobody is called istiod',
  'Itself / Sources that fail A': 'nothing fails',
  'Overview / Who talks to the unknown A': 'all have names',
}

const now = (): number => Date.now() / 1_000

const ALERTS = { CrossZoneBytesHigh: { for: '2s', bytesPerSecond: BUDGET }, AgentDown: { for: '0s' } }

/** Last less first sample of each series that there is. */
async function growthOf(prometheus: Prometheus, family: string): Promise<number> {
  const series = await prometheus.query(`${family}[10m]`)
  return series.reduce((sum, { values }) => sum + Number(values.at(-1)?.[1]) - Number(values[0]?.[1]), 0)
}

/** At the time of each node's last sample, where nothing has to be guessed. */
async function increaseOf(prometheus: Prometheus, family: string, nodes: readonly string[]): Promise<number> {
  const each = nodes.map(async (node) => {
    const selector = `${family}{node="${node}"}`
    const last = await prometheus.value(`max(timestamp(${selector}))`)
    return prometheus.value(`sum(increase(${selector}[10m]))`, last)
  })
  return (await Promise.all(each)).reduce((sum, value) => sum + value, 0)
}

const skip = reasonToSkip(['prometheus', 'alertmanager']) ?? false

await worldTest(
  import.meta.url,
  async (t) => {
    t.test('three agents', { skip }, async (t: Test) => {
      const options = { flows: { interval: '1s' }, series: { zeroFirst: ZERO_FIRST } }
      // An address that nothing names has no pair of zones before it is met.
      const inventory = inventoryOf(THREE_ZONES).map((entry) =>
        entry.ownerName === 'internet' ? { cidr: entry.cidr, external: true } : entry,
      )
      const { topology, truth, agents } = await createLab(t, { options, inventory })
      const alertmanager = await startAlertmanager()
      t.teardown(() => alertmanager.stop())
      const rules = rulesWith({ window: '10s', alerts: ALERTS })
      const prometheus = await startPrometheus({ agents: agents.all, interval: INTERVAL, rules, alertmanager: alertmanager.target })
      t.teardown(() => prometheus.stop())
      await eventually('all are scraped', async () => ((await prometheus.value('sum(up)')) === 3 ? true : undefined), 20_000)
      await eventually('pairs of zones', async () => ((await prometheus.value('count(meshtoll_zone_bytes_total)')) > 0 ? true : undefined))

      for (const pod of ['p1b', 'p2a', 'p3a']) await topology.peer(pod).listenTcp({ port: 8080 })
      await topology.peer('internet').listenUdp({ port: 9 })
      const pod = topology.peer('p1a')
      const began = now()
      const steady = [
        await pod.pace({ protocol: 'tcp', to: '10.1.2.2', port: 8080, bytesPerSecond: STEADY }),
        await pod.pace({ protocol: 'tcp', to: '10.1.1.3', port: 8080, bytesPerSecond: 10 * STEADY }),
        await pod.pace({ protocol: 'udp', to: '198.51.100.7', port: 9, bytesPerSecond: 100_000 }),
      ]
      await sleep((WINDOW_SECONDS + 4) * 1_000)
      const asking = createAsking()
      await asking.ask(prometheus)
      t.same(await asking.unansweredThough(prometheus), Object.keys(NOT_IN_THE_LAB).sort(), 'of what is here every panel has an answer')

      const agent = agents.on('n1')
      await agent.kill()
      t.match(await alertmanager.tells('AgentDown', 'firing', 15_000), { labels: { node: 'n1', severity: 'warning' } })
      await agent.start()
      await alertmanager.tells('AgentDown', 'resolved', 15_000)
      await sleep(6_000)
      t.equal(await prometheus.firing('CrossZoneBytesHigh'), undefined, 'nobody is woken by what the budget allows')
      const span = { from: began + WINDOW_SECONDS + 2, to: now() - 1 }

      const burst = await pod.pace({ protocol: 'tcp', to: '10.1.3.2', port: 8080, bytesPerSecond: BURST })
      const { annotations } = await alertmanager.tells('CrossZoneBytesHigh', 'firing', 30_000)
      t.match(
        annotations['description'],
        /the budget is 4MB\/s\. At the prices of your configuration that is \$[1-9]\d+ in 30 days\. Most is from lab\/p1a to lab\/p[23]a, /,
      )
      await burst.close()
      await alertmanager.tells('CrossZoneBytesHigh', 'resolved', 30_000)
      for (const stream of steady) await stream.close()

      const sent = await truth.total()
      const served = await agents.atRest()
      balances(t, served, sent)
      const isAllScraped = async () => ((await prometheus.value('sum(meshtoll_flow_bytes_total)')) === flowBytes(served) ? true : undefined)
      await eventually('the last bytes are scraped', isAllScraped, 20_000)
      for (const family of ['meshtoll_flow_bytes_total', 'meshtoll_zone_bytes_total']) {
        t.equal(await growthOf(prometheus, family), sent, `${family}: last less first sample of all series is what was sent, to the byte`)
        const ratio = (await increaseOf(prometheus, family, ['n1', 'n2', 'n3'])) / sent
        t.ok(Math.abs(ratio - 1) < 0.01, `${family}: increase() is ${ratio} of what was sent`)
      }
      const rate = `sum(rate(meshtoll_zone_bytes_total{src_zone="zone-1",dst_zone="zone-2"}[${WINDOW_SECONDS}s]))`
      const [{ values } = { values: [] }] = await prometheus.range(rate, span)
      const rates = values.map(([, value]) => Number(value) / STEADY)
      t.comment(`rates over the kill: ${rates.map((one) => one.toFixed(2)).join(' ')}`)
      t.ok(rates.length > 5 && Math.max(...rates) < 1.5, 'a kill is no spike')
      t.ok(Math.min(...rates) > 0.5, 'and no dip')
      // A packet under way while the kernel is read is in one of the books only, until the next reading: for that no alert waits long enough.
      const told = alertmanager.told.map(({ status, labels }) => `${labels['alertname']} ${status}`)
      const [down = [], high = []] = ['AgentDown', 'CrossZoneBytesHigh'].map((alert) => [`${alert} firing`, `${alert} resolved`])
      t.same(told, [...down, ...high], 'and of nothing else anybody was told')
    })

    t.test('_created: increase() has the first bytes of a series that begins in the middle', { skip }, async (t: Test) => {
      // Scrapes are what reads: the bytes are found after a scrape began.
      const { topology, truth, agents } = await createLab(t, {
        spec: ONE_NODE,
        options: { flows: { interval: '10s' }, series: { created: true } },
      })
      const prometheus = await startPrometheus({
        agents: agents.all,
        interval: INTERVAL,
        rules: {},
        features: ['created-timestamp-zero-ingestion'],
      })
      t.teardown(() => prometheus.stop())
      await eventually('it is scraped', async () => ((await prometheus.value('sum(up)')) === 1 ? true : undefined), 20_000)
      await topology.peer('p1b').listenUdp({ port: 9 })
      await topology.peer('p1a').sendUdp({ to: ['10.1.1.3'], port: 9, size: 500, packets: 100 })
      const sent = await truth.total()
      const isSeen = async () => ((await prometheus.value('sum(count_over_time(meshtoll_flow_bytes_total[1m]))')) >= 3 ? true : undefined)
      await eventually('two scrapes of it', isSeen, 20_000)
      t.equal(await growthOf(prometheus, 'meshtoll_flow_bytes_total'), sent, 'to the byte')
      t.equal(await prometheus.value('sum(resets(meshtoll_flow_bytes_total[1m]))'), 0, 'its 0 is before its first sample')
      const increase = await prometheus.value('sum(increase(meshtoll_flow_bytes_total[1m]))')
      t.ok(Math.abs(increase / sent - 1) < 0.5, `increase() is ${increase} of ${sent}`)
      t.same(await prometheus.query('{__name__=~"meshtoll_.+_created"}'), [], 'and no series more')
    })
  },
  { timeoutMs: 240_000 },
)
