// What happens to proxies in a real mesh, and what they and istiod count of it then.
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../lab/world.js'
import { sumOf } from './ask.js'
import { debouncedIn } from './debounce.js'
import { targetOf } from './mesh.js'
import { changeLabels, flipEndpoints, setProtocol } from './services.js'
import { meshTest } from './suite.js'

const XDS = { cluster_name: 'xds-grpc' }
const WITHIN_MS = 30_000

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
      t.match(first.log.text(), /ADS:LDS: ACK ERROR cart-\S+ Internal:.*filter/s)
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
      const envoy = await proxies.checkout.envoyPid()
      process.kill(envoy, 'SIGSTOP')
      try {
        await flipEndpoints(admin, services.flapper, 4)
        await t.rejects(proxies.checkout.metrics(), /no answer within/)
        t.ok((await proxies.cart.receivedBytes()) > before.cart, 'others are told')
      } finally {
        process.kill(envoy, 'SIGCONT')
      }
      const caughtUp = async () => ((await proxies.checkout.receivedBytes()) > before.checkout ? true : undefined)
      t.ok(await eventually('what it missed', caughtUp, WITHIN_MS))
    })

    t.test('a proxy that is killed begins anew', async (t) => {
      const { cart } = proxies
      const before = await cart.receivedBytes()
      process.kill(await cart.envoyPid(), 'SIGKILL')
      await cart.program.exited
      await t.rejects(cart.metrics(), 'its pilot-agent ends with it, and with both all ports')
      await cart.start()
      const stats = await cart.metrics()
      t.ok(sumOf(stats, 'envoy_server_uptime') < 30)
      t.ok((await cart.receivedBytes()) < before, 'counters from zero')
    })

    t.test('istiod ends, and proxies go to the next one', async (t) => {
      t.equal(sumOf(await second.metrics(), 'pilot_xds'), 0)
      const before = debouncedIn(second.log.text()).length
      await first.stop()
      const ended = async () => {
        const text = await proxies.cart.agentMetrics()
        return sumOf(text, 'istio_agent_istiod_connection_terminations') > 0 ? text : undefined
      }
      const text = await eventually('the end of a connection', ended)
      t.equal(
        sumOf(text, 'istio_agent_istiod_connection_terminations', { type: 'cancelled' }),
        1,
        'which pilot-agent does not call an error',
      )
      await sleep(1_000)
      for (const proxy of Object.values(proxies)) await proxy.moveTo(targetOf(second))
      const moved = async () => (sumOf(await second.metrics(), 'pilot_xds') === 3 ? true : undefined)
      t.ok(await eventually('three proxies', moved, WITHIN_MS))
      const received = await mesh.settled()
      await flipEndpoints(admin, services.flapper, 4)
      const after = await mesh.settled()
      t.ok(debouncedIn(second.log.text()).length > before)
      for (const [workload, proxy] of Object.entries(proxies)) {
        t.equal(sumOf(await proxy.metrics(), 'envoy_cluster_upstream_cx_active', XDS), 1, workload)
        t.ok(after[workload as keyof typeof after] > received[workload as keyof typeof received])
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
