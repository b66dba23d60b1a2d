import t from 'tap'
import { addressesOf, isCoreObject, latestOf, textsOf, timeMsOf } from '../../../src/identity/objects/raw.js'

t.test('timeMsOf', async (t) => {
  const cases = [
    { name: 'as the API server writes it', value: '2026-03-02T08:15:30Z', ms: Date.UTC(2026, 2, 2, 8, 15, 30) },
    { name: 'with microseconds', value: '2026-03-02T08:15:30.250000Z', ms: Date.UTC(2026, 2, 2, 8, 15, 30, 250) },
    { name: 'with an offset', value: '2026-03-02T10:15:30+02:00', ms: Date.UTC(2026, 2, 2, 8, 15, 30) },
    { name: "Go's zero time", value: '0001-01-01T00:00:00Z', ms: undefined },
    { name: "a runtime's zero time", value: '1970-01-01T00:00:00Z', ms: undefined },
    { name: 'null, for a time that is not known', value: null, ms: undefined },
    { name: 'a thirteenth month', value: '2026-13-02T08:15:30Z', ms: undefined },
    { name: 'a date', value: '2026-03-02', ms: undefined },
    { name: 'local time', value: '2026-03-02T08:15:30', ms: undefined },
    { name: 'a number', value: 1772439330000, ms: undefined },
  ]
  for (const { name, value, ms } of cases) t.equal(timeMsOf(value), ms, name)
})

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

t.test('isCoreObject', async (t) => {
  const cases = [
    { name: 'one that says so', object: { apiVersion: 'v1', kind: 'Service' }, is: true },
    { name: 'one of a list, which says nothing', object: {}, is: true },
    { name: 'another kind', object: { apiVersion: 'v1', kind: 'Endpoints' }, is: false },
    { name: "Knative's", object: { apiVersion: 'serving.knative.dev/v1', kind: 'Service' }, is: false },
  ]
  for (const { name, object, is } of cases) t.equal(isCoreObject(object, 'Service'), is, name)
})

t.test('latestOf', async (t) => {
  t.equal(latestOf([2, undefined, 3, 1]), 3)
  t.equal(latestOf([undefined]), undefined)
})
