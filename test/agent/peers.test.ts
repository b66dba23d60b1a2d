import t from 'tap'
import { createPeers } from '../../src/agent/peers.js'
import type { Called } from '../../src/identity/called.js'
import type { Family, Peer, Placement, Reading, Who } from '../../src/model.js'
import { createHandPulse } from '../hand-pulse.js'

const GAUGE: Family = { name: 'meshtoll_proxies_here', kind: 'gauge', labels: ['kind', 'zone_of'], help: 'X.' }
const OLDEST: Family = { ...GAUGE, name: 'meshtoll_oldest', ofOwner: 'maximum' }
const ZONES: Readonly<Record<string, string>> = { '10.1.0.1': 'a', '10.1.0.2': 'b', '10.1.0.3': 'b' }
const NOBODY: Who = { zone: '_unknown', region: '', namespace: '', kind: '_unknown', name: '_unknown', external: false }
const place = (address: string): Placement => ({ who: { ...NOBODY, zone: ZONES[address] ?? '_unknown' }, local: 'no', covered: 'no' })
const called = (address: string, { toMs }: { readonly toMs: number }): Called => ({
  who: place(address).who,
  ended: toMs > 100 ? 'yes' : 'no',
})
const peers = createPeers({ place, called }, { clock: { monotonic: () => 0 } })

const SIDECARS = { kind: 'sidecar' }
const at = (address: string): Peer => ({ address, says: { zone_of: 'zone' } })
const value = (address: string, more: { readonly family?: Family; readonly labels?: typeof SIDECARS; readonly value?: number } = {}) =>
  ({ kind: 'value', family: GAUGE, labels: SIDECARS, value: 1, ...more, peer: at(address) }) as const

t.test('values are added up by who has their addresses', async (t) => {
  const pod = { uid: 'u1', namespace: 'istio-system', name: 'istiod-1' }
  const others: readonly Reading[] = [{ kind: 'value', family: GAUGE, labels: SIDECARS, value: 7 }]
  const said = await peers([
    ...others,
    ...['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.9.0.1'].map((address) => value(address)),
    value('10.1.0.2', { labels: { kind: 'router' } }),
    { ...value('10.1.0.3'), pod },
    value('10.1.0.2', { family: OLDEST, value: 5 }),
    value('10.1.0.3', { family: OLDEST, value: 3 }),
  ])
  t.same(said.slice(0, 1), others, 'the others as they were')
  t.same(
    said.slice(1).map((one) => one.kind === 'value' && [one.family.name, Object.values(one.labels), one.value, one.pod?.uid]),
    [
      [GAUGE.name, ['sidecar', 'a'], 1, undefined],
      [GAUGE.name, ['sidecar', 'b'], 2, undefined],
      [GAUGE.name, ['sidecar', '_unknown'], 1, undefined],
      [GAUGE.name, ['sidecar', 'b'], 1, 'u1'],
      [OLDEST.name, ['sidecar', 'b'], 5, undefined],
      [GAUGE.name, ['router', 'b'], 1, undefined],
    ],
  )
})

t.test('rows say it beside the rest', async (t) => {
  const row: Reading = { kind: 'row', row: { proxy: 'cart-1.shop' }, peer: { address: '10.1.0.2', says: { zone: 'zone', owner: 'name' } } }
  t.same(await peers([row, { kind: 'row', row: { proxy: 'nowhere' } }]), [
    { kind: 'row', row: { proxy: 'cart-1.shop', zone: 'b', owner: '_unknown' } },
    { kind: 'row', row: { proxy: 'nowhere' } },
  ])
})

t.test('it is looked first whether this process stood still: who has them is then not known', async (t) => {
  const pulse = createHandPulse()
  const placeUnlessStood = (address: string): Placement => (pulse.stops > 0 ? place('') : place(address))
  const afterwards = createPeers({ place: placeUnlessStood, called }, { clock: { monotonic: () => 0, pulse } })
  pulse.standStill()
  t.match(await afterwards([value('10.1.0.2')]), [{ labels: { zone_of: '_unknown' } }])
})

t.test('many give way to others', async (t) => {
  let nowMs = 0
  let waited = 0
  const slow = createPeers({ place, called }, { clock: { monotonic: () => nowMs++ } })
  const ticking = setInterval(() => void waited++, 0)
  await slow(Array.from({ length: 1_000 }, (_, i) => value(`10.2.0.${i}`)))
  clearInterval(ticking)
  t.ok(waited > 0)
})

t.test('events are of whoever had the address then', async (t) => {
  const family: Family = { ...GAUGE, kind: 'counter', name: 'meshtoll_calls_total' }
  const event = (toMs: number): Reading => ({
    kind: 'event',
    family,
    labels: SIDECARS,
    count: 2,
    peer: { address: '10.1.0.2', during: { fromMs: 0, toMs }, says: { zone_of: 'zone', ended: 'ended' } },
  })
  t.same(
    await peers([event(100), event(101)]),
    ['no', 'yes'].map((ended) => ({ kind: 'event', family, labels: { ...SIDECARS, zone_of: 'b', ended }, count: 2 })),
  )
})
