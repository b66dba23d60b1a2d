// In a time in which nothing happened that anybody should be woken by no alert fires: what a real Prometheus had of real agents in a real mesh
// (scripts/quiet-time.ts), with a pod that is replaced now and then, and an agent that is restarted.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readRuleSettings, type Settings } from '../../scripts/rules.js'
import { reasonToSkip } from '../peers/needed.js'
import { rulesWith } from '../quick-rules.js'
import { PROMTOOLS, recordingTest, testRules, writeAllRules } from './promtool.js'

interface Recorded {
  readonly interval: string
  readonly minutes: number
  readonly series: Readonly<Record<string, string>>
}

const { interval, minutes, series }: Recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'quiet-time.json'), 'utf8'))

/** By which each alert fires all the same: so it is not for want of samples that it does not. */
const STRICTER: Readonly<Record<string, Settings>> = {
  CrossZoneBytesHigh: { bytesPerSecond: 100_000, for: '20m' },
  CrossZoneBytesGrowing: { window: '5m', day: '10m', week: '20m', factor: 0.1, bytesPerSecond: 1 },
  ControlPlaneBytesHigh: { factor: 0.1, bytesPerSecond: 1 },
  PushStorm: { pushesPerSecond: 0 },
  ConvergenceSlow: { seconds: 0 },
  ProxiesDisconnected: { failures: -1, for: '1m' },
  BooksOutOfBalance: { bytes: -1 },
  AccountingGap: { seconds: -1 },
  FlowTableNearlyFull: { ratio: 0 },
  FlowsBypassed: { ratio: 2 },
}

const WITHOUT_SAMPLES: Readonly<Record<string, string>> = {
  PhantomTraffic: 'no pod ends',
  EndpointFlapping: 'no directory looks at Services',
  ConfigRejected: 'nothing is rejected, and none of its values says less than that',
  ConfigUnacknowledged: 'istiod is not asked for its proxies',
  StaleHosts: 'nor proxies for theirs',
  ProxyOverReserved: 'no kubelet is asked',
  SourceDown: 'all that agents have to read they can',
  AgentDown: 'all agents answer, the one that is restarted before the next scrape',
  AllAgentsDown: 'at most one of them is away',
  DirectoryDown: 'there is no directory',
  DatadogDeliveryBehind: 'nothing is pushed',
}

/** What promtool finds wrong where exactly these fire at some time of it. */
function testFiring(
  path: string,
  alerts: readonly string[],
  { folder, rules }: { readonly folder: string; readonly rules: readonly string[] },
) {
  const expr = `group by (alertname) (max_over_time(ALERTS{alertstate="firing"}[${minutes + 1}m]))`
  const fired = Object.fromEntries(alerts.map((alert) => [`{alertname="${alert}"}`, 1]))
  const test = { ...recordingTest({ name: 'a quiet time', series, at: `${minutes}m`, wanted: { [expr]: fired } }), interval }
  return testRules(path, [test], { folder, interval, rules })
}

const skip = reasonToSkip(['prometheus', 'promtool']) ?? false

t.test('each alert is tried, or there is a reason', async (t) => {
  t.same([...Object.keys(STRICTER), ...Object.keys(WITHOUT_SAMPLES)].sort(), Object.keys(readRuleSettings().alerts).sort())
})

for (const { name, path } of PROMTOOLS) {
  t.test(name, { skip }, async (t) => {
    const folder = t.testdir()
    t.equal(testFiring(path(), [], { folder, rules: writeAllRules(folder) }), '', 'no alert fires')
    const alerts = Object.fromEntries(Object.entries(STRICTER).map(([alert, settings]) => [alert, { for: '0s', ...settings }]))
    const rules = Object.entries(rulesWith({ alerts })).map(([file, text]) => {
      writeFileSync(join(folder, file), text)
      return join(folder, file)
    })
    t.equal(testFiring(path(), Object.keys(STRICTER), { folder, rules }), '', 'with stricter values those do that have samples')
  })
}
