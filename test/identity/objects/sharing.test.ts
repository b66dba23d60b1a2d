import t from 'tap'
import { podFactsOf } from '../../../src/identity/objects/pod.js'
import { createSharing } from '../../../src/identity/objects/sharing.js'
import { changed, fixture } from './fixture.js'

const CART = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-7d9f8c6b54', uid: 'u1' }

t.test('equal references are one', async (t) => {
  const cases = [
    { name: 'the same', reference: { ...CART }, isOne: true },
    { name: 'another uid', reference: { ...CART, uid: 'u2' }, isOne: false },
    { name: 'another version', reference: { ...CART, apiVersion: 'apps/v2' }, isOne: false },
    { name: 'another kind', reference: { ...CART, kind: 'Job' }, isOne: false },
    { name: 'another name', reference: { ...CART, name: 'cart' }, isOne: false },
  ]
  for (const { name, reference, isOne } of cases) {
    const sharing = createSharing(10)
    const first = sharing.reference(CART)
    t.strictSame(sharing.reference(reference), reference, `${name}: what is given comes back`)
    t.equal(sharing.reference(reference) === first, isOne, name)
  }
})

t.test('past the limit all is forgotten', async (t) => {
  const sharing = createSharing(2)
  const first = sharing.reference(CART)
  sharing.reference({ ...CART, uid: 'u2' })
  t.equal(sharing.reference({ ...CART }), first, 'not before')
  sharing.reference({ ...CART, uid: 'u3' })
  t.not(sharing.reference({ ...CART }), first)
})

t.test('texts stay what they are', async (t) => {
  const sharing = createSharing(2)
  t.same(['a', 'b', 'c', 'a', '', 'c'].map(sharing.text), ['a', 'b', 'c', 'a', '', 'c'])
})

t.test('pods of one ReplicaSet share it, and say the same as unshared', async (t) => {
  const sharing = createSharing(10)
  const second = changed('pod-deployment', { 'metadata.name': 'cart-7d9f8c6b54-zzzzz' })
  const [one, other] = [podFactsOf(fixture('pod-deployment'), sharing), podFactsOf(second, sharing)]
  t.equal(one?.controller, other?.controller)
  t.strictSame(one, podFactsOf(fixture('pod-deployment')))
  t.strictSame(podFactsOf(fixture('pod-bare'), sharing), podFactsOf(fixture('pod-bare')))
})
