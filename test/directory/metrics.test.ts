import t, { type Test } from 'tap'
import { createDesk } from '../../src/directory/desk.js'
import { ENDPOINTS } from '../../src/directory/families.js'
import { createDirectoryFamilies, createDirectoryMetrics, type MetricsParts } from '../../src/directory/metrics.js'
import { createRouter } from '../../src/http/router.js'
import { createServer } from '../../src/http/server.js'
import { ask } from '../http/client.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

const LABELS = { service_namespace: 'shop', service_name: 'cart', change: 'added' }
const QUIET = { trouble: '', takeRejected: () => 0 }

async function scrape(t: Test, parts: Partial<MetricsParts>, created = false): Promise<readonly string[]> {
  const log = createKeptLog()
  const families = createDirectoryFamilies({
    desk: createDesk({ clock: createHandClock(), log: createKeptLog(), random: () => 'id', isHearing: () => true }),
    following: QUIET,
    slices: QUIET,
    election: { holds: true, trouble: '' },
    endpoints: { families: () => [{ family: ENDPOINTS.changes, series: [{ labels: LABELS, value: 7, sinceMs: 5_000 }] }] },
    version: '0',
    nodeVersion: 'v20',
    cpuUsage: () => ({ user: 0, system: 0 }),
    ...parts,
  })
  const metrics = createDirectoryMetrics(families, { created })
  const routes = createRouter({ '/metrics': { route: metrics } }, { log })
  const server = await createServer({ routes, listenAddress: { host: '127.0.0.1', port: 0 }, log })
  t.teardown(() => server.close(AbortSignal.timeout(300)))
  const { text } = await ask(server.url, { path: '/metrics', headers: created ? { accept: 'application/openmetrics-text' } : {} })
  return text.split('\n').filter((line) => /^meshtoll_(endpoint|directory_leader|source_up)/.test(line))
}

const COUNTED = 'meshtoll_endpoint_changes_total{service_namespace="shop",service_name="cart",change="added"} 7'
const up = (source: string, value: number): string => `meshtoll_source_up{source="${source}"} ${value}`

t.test('who has the Lease serves what it counts', async (t) => {
  t.same(await scrape(t, {}), ['meshtoll_directory_leader 1', COUNTED, up('kubernetes', 1), up('endpoints', 1)])
})

t.test('series.created: when it began to count', async (t) => {
  const began = 'meshtoll_endpoint_changes_created{service_namespace="shop",service_name="cart",change="added"} 5'
  t.ok((await scrape(t, {}, true)).includes(began))
})

t.test('who has it no longer does not, though it has not heard of another', async (t) => {
  const election = { holds: false, trouble: 'no way to it' }
  t.same(await scrape(t, { election }), ['meshtoll_directory_leader 0', up('kubernetes', 1), up('endpoints', 0)])
})

t.test('endpoints that cannot be followed', async (t) => {
  const slices = { trouble: '403 Forbidden', takeRejected: () => 0 }
  t.same(await scrape(t, { slices }), ['meshtoll_directory_leader 1', COUNTED, up('kubernetes', 1), up('endpoints', 0)])
})
