import t from 'tap'
import { addressesOf, latestOf, objectOf, textsOf } from '../../../src/identity/objects/raw.js'

t.test('addressesOf', async (t) => {
  const cases = [
    {
      name: 'the same twice, written otherwise',
      values: ['fd00::c', 'FD00:0::C', '10.1.0.1', '::ffff:10.1.0.1'],
      addresses: ['fd00::c', '10.1.0.1'],
    },
    { name: 'what is no address', values: ['None', '', 'eth0', 7, null, undefined, {}, ['10.1.0.1'], '10.1.0.1/32'], addresses: [] },
  ]
  for (const { name, values, addresses } of cases) {
    t.strictSame(addressesOf(values), addresses, name)
    t.ok(Object.isFrozen(addressesOf(values)), `${name}: frozen`)
  }
})

t.test('textsOf', async (t) => {
  t.strictSame(textsOf(['a', '', 7, null, 'b']), ['a', 'b'])
  t.ok(Object.isFrozen(textsOf(['a'])))
})

t.test('objectOf', async (t) => {
  const metadata = { namespace: 'shop', name: 'cart' }
  const cases = [
    { name: 'one that says so', object: { apiVersion: 'v1', kind: 'Service' }, is: true },
    { name: 'one of a list, which says nothing', object: {}, is: true },
    { name: 'another kind', object: { apiVersion: 'v1', kind: 'Endpoints' }, is: false },
    { name: "Knative's", object: { apiVersion: 'serving.knative.dev/v1', kind: 'Service' }, is: false },
    { name: 'one without a name', object: { metadata: { namespace: 'shop' } }, is: false },
    { name: 'any version of its group', object: { apiVersion: 'networking.istio.io/v1beta1' }, group: 'networking.istio.io', is: true },
    {
      name: 'a group of almost that name',
      object: { apiVersion: 'networking.istio.io.example/v1' },
      group: 'networking.istio.io',
      is: false,
    },
    { name: "the core's, of a group", object: { apiVersion: 'v1' }, group: 'networking.istio.io', is: false },
  ]
  for (const { name, object, group, is } of cases) t.equal(objectOf({ metadata, ...object }, 'Service', group) !== undefined, is, name)
  t.same(objectOf({ metadata, spec: { type: 'ClusterIP' } }, 'Service'), {
    metadata,
    spec: { type: 'ClusterIP' },
    status: {},
    uid: '',
    ...metadata,
  })
})

t.test('latestOf', async (t) => {
  t.equal(latestOf([2, undefined, 3, 1]), 3)
  t.equal(latestOf([undefined]), undefined)
})
