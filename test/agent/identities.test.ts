// What names go by is what is configured.
import t from 'tap'
import { createIdentities } from '../../src/agent/identities.js'
import { defaultConfig } from '../../src/config/config.js'
import type { Tenant } from '../../src/identity/holders.js'
import { createHandClock } from '../kube/hand-clock.js'
import { createKeptLog } from '../kube/kept-log.js'

const FAR = '10.2.0.7'
const READ_WITHIN_MS = 8_000
const HOUR_MS = 3_600_000
const who = { zone: 'b', region: 'r', namespace: 'shop', kind: 'Deployment', name: 'remote', external: false }
const tenant: Tenant = { who, node: 'n2', coverage: 'node' }

t.test('where the clock is doubted, a node that joined has joined after two readings and patience', async (t) => {
  for (const intervalMs of [1_000, 60_000]) {
    const hand = createHandClock()
    hand.set(2 * HOUR_MS)
    let doubtMs = 0
    const clock = { ...hand, settings: { doubtMs: () => doubtMs, mark: () => undefined, resume: () => undefined } }
    const defaults = defaultConfig('n1')
    const config = { ...defaults, flows: { ...defaults.flows, intervalMs } }
    const rtnetlink = { addresses: () => [], links: () => [], routes: () => [] } as never
    const { identity } = createIdentities(
      { config, environment: { KUBERNETES_SERVICE_HOST: '10.96.0.1' }, rtnetlink, isCounting: () => true },
      { clock, log: createKeptLog(), random: () => '' } as never,
    )
    const apply = (cluster: Parameters<typeof identity.update>[0]['cluster'] = {}) => identity.update({ cluster }, async () => undefined)
    const isCertain = (): boolean => {
      const { covered, ambiguous } = identity.placeSince(FAR, undefined, clock.now() - 1_000)
      return covered === 'yes' && !ambiguous
    }
    const tenancies = [{ address: FAR, key: 'u1', tenant, fromMs: 0, untilMs: Number.POSITIVE_INFINITY }]
    await apply({ tenancies, standing: 'yes', covering: new Set(), isCurrent: true })
    await apply({ covering: new Set(['n2']) })
    hand.set(-HOUR_MS)
    doubtMs = HOUR_MS
    await apply()
    hand.advance(config.identity.patienceMs + 2 * (intervalMs + READ_WITHIN_MS))
    await apply()
    t.notOk(isCertain(), `read every ${intervalMs} ms: what came before may wait`)
    hand.advance(1)
    await apply()
    t.ok(isCertain(), `read every ${intervalMs} ms: nothing does`)
  }
})
