import t from 'tap'
import { type ControllerReference, controllerIn } from '../../../src/identity/owners/lookup.js'

const REFERENCE: ControllerReference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: 'shop', name: 'cart-7d9f8c6b54', uid: 'u1' }
const CART = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart', uid: 'u2' }

t.test('controllerIn', async (t) => {
  const owner = { ...CART, controller: true, blockOwnerDeletion: true }
  const cases = [
    {
      name: 'a controller',
      metadata: { uid: 'u1', ownerReferences: [{ ...owner, kind: 'App', controller: false }, owner] },
      controller: CART,
    },
    { name: 'none', metadata: { uid: 'u1' }, controller: undefined },
    {
      name: 'an owner that is no controller',
      metadata: { uid: 'u1', ownerReferences: [{ ...owner, controller: false }] },
      controller: undefined,
    },
  ]
  for (const { name, metadata, controller } of cases) t.strictSame(controllerIn(metadata, REFERENCE), controller, name)
})

t.test('controllerIn where the object is gone', async (t) => {
  const gone = { status: 404, message: 'ReplicaSet shop/cart-7d9f8c6b54 with the uid u1 is gone' }
  const cases = [
    { name: 'there is none of that name', metadata: undefined },
    { name: 'there is another of that name', metadata: { uid: 'u9', ownerReferences: [{ ...CART, controller: true }] } },
    { name: 'what was read is something else', metadata: 'no' },
  ]
  for (const { name, metadata } of cases) t.throws(() => controllerIn(metadata, REFERENCE), gone, name)
})
