// What happens to proxies in a real mesh, and what they and istiod count of it then.
import { eventually } from '../lab/world.js'
import { sumOf } from './ask.js'
import { debouncedIn } from './debounce.js'
import { targetOf } from './mesh.js'
import { changeLabels, flipEndpoints, setProtocol } from './services.js'
import { meshTest } from './suite.js'
import { WORKLOADS } from './workloads.js'

const XDS = { cluster_name: 'xds-grpc' }
const TERMINATIONS = 'istio_agent_istiod_connection_terminations'
const FAILURES = 'istio_agent_istiod_connection_failures'
const WITHIN_MS = 60_000

await meshTest(
  import.meta.url,
  async (t, mesh, { cluster }) => {
    const { admin } = cluster
    const { proxies, services } = mesh
    const [first, second] = mesh.istiods
    if (!first || !second) throw new Error('two istiods are needed')
    const rejections = async (): Promise<number> => sumOf(await first.metrics(), 'pilot_total_xds_rejects', { type: 'lds' })

    t.test('a proxy rejects a configuration: both say so', async (t) => {
      await setProtocol(admin, services.flapper, 'http')
      const rejected = await eventually('a rejection', async () => ((await rejections()) > 0 ? rejections() : undefined), WITHIN_MS)
      const stats = await eventually('its count', async () => {
        const text = await proxies.cart.metrics()
        return sumOf(text, 'envoy_listener_manager_lds_update_rejected') > 0 ? text : undefined
      })
      t.ok(rejected > 0)
      const isSaid = () => (/ADS:LDS: ACK ERROR cart-\S+ Internal:.*filter/s.test(first.log.text()) ? true : undefined)
      t.ok(await eventually('istiod says so', isSaid, WITHIN_MS))
      t.equal(sumOf(stats, 'envoy_cluster_manager_cds_update_rejected'), 0, 'clusters it takes')
      await setProtocol(admin, services.flapper, 'tcp')
      await mesh.settled()
      const again = await rejections()
      await changeLabels(admin, services.flapper, 1)
      await mesh.settled()
      t.equal(await rejections(), again, 'and what is right it takes again')
    })

    t.test('a proxy that is slow holds up nobody else', async (t) => {
      const before = await mesh.settled()
      const goOn = await proxies.checkout.pause()
      t.teardown(goOn)
      await flipEndpoints(admin, services.flapper, 4)
      await t.rejects(proxies.checkout.metrics(), /no answer within/)
      t.ok((await proxies.cart.receivedBytes()) > before.cart, 'others are told')
      goOn()
      const caughtUp = async () => ((await proxies.checkout.receivedBytes()) > before.checkout ? true : undefined)
      t.ok(await eventually('what it missed', caughtUp, WITHIN_MS))
    })

    t.test('a proxy that is killed begins anew', async (t) => {
      const { cart } = proxies
      const before = await cart.receivedBytes()
      await cart.kill()
      await t.rejects(cart.metrics(), 'none of its ports')
      await t.rejects(cart.agentMetrics(), 'nor any of pilot-agent')
      await cart.start()
      const stats = await cart.metrics()
      t.ok(sumOf(stats, 'envoy_server_uptime') < 30)
      t.ok((await cart.receivedBytes()) < before, 'counters from zero')
    })

    t.test('istiod ends, and after a while proxies go to the next one', async (t) => {
      t.equal(sumOf(await second.metrics(), 'pilot_xds'), 0)
      const before = debouncedIn(second.log.text()).length
      const all = Object.values(proxies)
      await first.stop()
      await Promise.all(all.map((proxy) => proxy.moveTo(undefined)))
      const refused = async () => {
        const text = await proxies.flapper.agentMetrics()
        return sumOf(text, TERMINATIONS, { type: 'error' }) > 1 ? text : undefined
      }
      const text = await eventually('connections that are refused', refused, WITHIN_MS)
      t.equal(sumOf(text, TERMINATIONS, { type: 'cancelled' }), 1, 'which pilot-agent tells apart from the one that ended')
      t.equal(sumOf(text, FAILURES), 0, 'and does not call failures')
      t.equal(sumOf(await proxies.flapper.metrics(), 'envoy_server_live'), 1)
      await Promise.all(all.map((proxy) => proxy.moveTo(targetOf(second))))
      const moved = async () => (sumOf(await second.metrics(), 'pilot_xds') === all.length ? true : undefined)
      t.ok(await eventually('three proxies', moved, WITHIN_MS))
      const received = await mesh.settled()
      await flipEndpoints(admin, services.flapper, 4)
      const after = await mesh.settled()
      t.ok(debouncedIn(second.log.text()).length > before)
      for (const workload of WORKLOADS) {
        t.equal(sumOf(await proxies[workload].metrics(), 'envoy_cluster_upstream_cx_active', XDS), 1, workload)
        t.ok(after[workload] > received[workload])
      }
    })

    t.test('a proxy is moved while both istiods run', async (t) => {
      await first.start()
      t.match(first.log.file, /discovery\/1\.log$/, 'another container of the same pod')
      await proxies.cart.moveTo(targetOf(first))
      const counts = async () => [sumOf(await first.metrics(), 'pilot_xds'), sumOf(await second.metrics(), 'pilot_xds')]
      const moved = async () => (String(await counts()) === '1,2' ? true : undefined)
      t.ok(await eventually('one and two', moved, WITHIN_MS))
    })
  },
  { istiods: 2 },
)
