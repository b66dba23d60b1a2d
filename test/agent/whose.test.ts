import t from 'tap'
import { createWhose } from '../../src/agent/whose.js'
import { createOwnPods } from '../../src/identity/own-pods.js'
import type { Family, OfPod, Reading } from '../../src/model.js'
import { podFacts } from './pod-facts.js'

const family = (kind: Family['kind']): Family => ({ name: `meshtoll_${kind}`, kind, labels: [], help: 'X.' })
const performanceClock = { monotonic: () => performance.now() }
const CART: OfPod = { uid: 'u1', namespace: 'shop', name: 'cart-1' }
const OWNED = { owner_zone: 'a', owner_namespace: 'shop', owner_kind: 'Deployment', owner_name: 'cart' }
const UNKNOWN = { ...OWNED, owner_kind: '_unknown', owner_name: '_unknown' }

const total = (pod?: OfPod, labels = {}): Reading => ({
  kind: 'total',
  family: family('counter'),
  labels,
  ...(pod ? { pod } : {}),
  target: 't',
  series: 's',
  value: 1,
})
const value = (amount: number, pod?: OfPod, labels = {}): Reading => ({
  kind: 'value',
  family: family('gauge'),
  labels,
  ...(pod ? { pod } : {}),
  value: amount,
})

function createHere(zone: () => string | undefined = () => 'a') {
  const pods = createOwnPods('n1')
  let nowMs = 0
  const whose = createWhose({ pods, zone, patienceMs: 30_000 }, { clock: { monotonic: () => nowMs } })
  const put = (more: Parameters<typeof podFacts>[0] = {}): void =>
    pods.put('shop/cart-1', podFacts({ uid: 'u1', name: 'cart-1', ...more }), { kind: 'Deployment', name: 'cart' })
  return {
    whose,
    put,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

t.test('whose a total is', async (t) => {
  const { whose, put, pass } = createHere()
  const one = async (reading: Reading): Promise<unknown> => (await whose([reading])).totals.map(({ labels, whose: how }) => [how, labels])
  t.same(await one(total()), [['certain', {}]], "nobody's pod")
  t.same(await one(total(CART, { device: 'eth0' })), [['waiting', { ...UNKNOWN, device: 'eth0' }]], 'not told of yet')
  pass(29_999)
  t.same(await one(total(CART)), [['waiting', UNKNOWN]], 'it waits')
  pass(1)
  t.same(await one(total(CART)), [['certain', UNKNOWN]], 'no longer than the patience')
  t.same(await one(total({ ...CART, network: 'own' })), [['certain', UNKNOWN]], 'of its network neither')
  t.same(await one(total({ ...CART, network: 'perhaps node' })), [['waiting', UNKNOWN]], 'but what the node may have sent')
  put()
  t.same(await one(total({ ...CART, network: 'perhaps node' })), [['certain', OWNED]], 'it was the pod after all')
  t.same(await one(total(CART, { device: 'eth0' })), [['certain', { ...OWNED, device: 'eth0' }]], 'told of')
  t.same(await one(total({ ...CART, network: 'own' })), [['certain', OWNED]], 'its own network')
  put({ hostNetwork: true })
  t.same(await one(total({ ...CART, network: 'own' })), [['nobody', OWNED]], "its node's network")
  t.same(await one(total(CART)), [['certain', OWNED]], 'but its own CPU')
})

t.test('a pod that a read lacks begins to wait anew', async (t) => {
  const { whose, pass } = createHere()
  const how = async () => (await whose([total(CART)])).totals[0]?.whose
  t.equal(await how(), 'waiting')
  await whose([])
  pass(30_000)
  t.equal(await how(), 'waiting')
})

t.test('values of one owner are added up, those of nobody yet are not served', async (t) => {
  const { whose, put, pass } = createHere()
  put()
  const other: OfPod = { ...CART, uid: 'u2', name: 'cart-2' }
  const readings = [value(1, CART), value(2, CART), value(4, other), value(8), value(16, undefined, { device: 'eth0' })]
  const served = async (): Promise<unknown> => (await whose(readings)).values.map(({ labels, value: sum }) => [labels, sum])
  const known = [
    [OWNED, 3],
    [{}, 8],
    [{ device: 'eth0' }, 16],
  ]
  t.same(await served(), known)
  pass(30_000)
  t.same(await served(), [known[0], [UNKNOWN, 4], ...known.slice(1)], 'after the patience as unknown')
})

t.test('of some families the least value of an owner is what matters', async (t) => {
  const { whose, put } = createHere()
  put()
  const oldest: Family = { ...family('gauge'), ofOwner: 'minimum' }
  const of = (amount: number): Reading => ({ kind: 'value', family: oldest, labels: {}, pod: CART, value: amount })
  t.same(
    (await whose([of(5), of(3), of(4)])).values.map(({ labels, value: least }) => [labels, least]),
    [[OWNED, 3]],
  )
})

t.test("a pod's zone may be told after its owner", async (t) => {
  let zone: string | undefined
  const { whose, put, pass } = createHere(() => zone)
  put()
  const one = async (reading: Reading): Promise<unknown> => (await whose([reading])).totals.map(({ labels, whose: how }) => [how, labels])
  t.same(await one(total(CART)), [['waiting', { ...OWNED, owner_zone: '_unknown' }]])
  zone = 'a'
  t.same(await one(total(CART)), [['certain', OWNED]])
  zone = undefined
  await one(total(CART))
  pass(30_000)
  t.same(await one(total(CART)), [['certain', { ...OWNED, owner_zone: '_unknown' }]], 'it is not waited for longer than the patience')
})

t.test('whose an event is', async (t) => {
  const { whose, put } = createHere()
  const event: Reading = { kind: 'event', family: family('counter'), labels: { flags: 'UF' }, count: 3 }
  const one = async (reading: Reading): Promise<unknown> => (await whose([reading])).counted.events
  t.same(await one(event), [event], "nobody's pod")
  t.same(await one({ ...event, pod: CART }), [{ ...event, labels: { ...UNKNOWN, flags: 'UF' } }], 'not told of yet: it does not wait')
  put()
  t.same(await one({ ...event, pod: CART }), [{ ...event, labels: { ...OWNED, flags: 'UF' } }])
})

t.test('thousands of readings leave the loop to others', async (t) => {
  const pods = createOwnPods('n1')
  const whose = createWhose({ pods, zone: () => 'a', patienceMs: 30_000 }, { clock: performanceClock })
  const readings = Array.from({ length: 200_000 }, () => total(CART))
  let turns = 0
  let isDone = false
  const resolving = whose(readings).finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    turns++
  }
  t.equal((await resolving).totals.length, readings.length)
  t.ok(turns > 3, `${turns} turns`)
})
