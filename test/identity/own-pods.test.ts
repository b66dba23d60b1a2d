import t from 'tap'
import { createOwnPods } from '../../src/identity/own-pods.js'
import { podFacts } from '../agent/pod-facts.js'

const OWNER = { kind: 'Deployment', name: 'cart' }
const CART = { uid: 'u1', namespace: 'shop', name: 'cart-1' }

t.test('a pod of this node from its first word to its last', async (t) => {
  const pods = createOwnPods('n1')
  const names = (): string[] => [...pods.live()].map(({ uid }) => uid)
  t.equal(pods.find(CART), undefined)
  pods.put('shop/cart-1', podFacts({}), OWNER)
  t.match(pods.find(CART), { owner: OWNER, hostNetwork: false })
  t.equal(pods.uidOf('shop', 'cart-1'), 'u1')
  t.same(names(), ['u1'])
  pods.put('shop/cart-1', podFacts({ endedMs: 9 }), OWNER)
  t.same(names(), [], 'ended, it is known still')
  t.match(pods.find(CART), { owner: OWNER })
  pods.remove('shop/cart-1', 1_000)
  t.equal(pods.uidOf('shop', 'cart-1'), undefined)
  t.match(pods.find(CART), { owner: OWNER }, 'gone, for a while: its last numbers come late')
  pods.put('shop/other', podFacts({ uid: 'u2', name: 'other' }), OWNER)
  pods.remove('shop/other', 600_999)
  t.match(pods.find(CART), { owner: OWNER })
  pods.remove('shop/none', 601_000)
  t.equal(pods.find(CART), undefined)
})

t.test('the next pod of the same name is another one', async (t) => {
  const pods = createOwnPods('n1')
  pods.put('shop/cart-1', podFacts({}), OWNER)
  pods.put('shop/cart-1', podFacts({ uid: 'u2', startedMs: 5 }), { kind: 'StatefulSet', name: 'cart' })
  t.equal(pods.uidOf('shop', 'cart-1'), 'u2')
  t.match(pods.find(CART), { owner: OWNER, isLive: false })
  t.match(pods.find({ ...CART, uid: 'u2' }), { owner: { kind: 'StatefulSet' }, isLive: true })
})

t.test('which pods are found', async (t) => {
  const cases = [
    { name: 'by uid', pod: {}, found: true },
    { name: 'of another node', pod: { node: 'n2' }, found: false },
    { name: 'by name alone', pod: { uid: 'u9' }, found: false },
    { name: 'by name, where its node made it', pod: { uid: 'u9', isStatic: true }, found: true },
  ]
  for (const { name, pod, found } of cases) {
    const pods = createOwnPods('n1')
    pods.put('shop/cart-1', podFacts(pod), OWNER)
    t.equal(pods.find(CART) !== undefined, found, name)
  }
})
