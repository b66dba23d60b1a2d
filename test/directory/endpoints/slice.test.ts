import t from 'tap'
import { sliceFactsOf } from '../../../src/directory/endpoints/slice.js'

const METADATA = { namespace: 'shop', name: 'cart-x7', labels: { 'kubernetes.io/service-name': 'cart' } }
const pod = (uid: string, conditions?: object | null) => ({ addresses: ['10.1.0.1'], targetRef: { kind: 'Pod', uid }, conditions })

t.test('states of endpoints', async (t) => {
  const cases = [
    { name: 'ready', conditions: { ready: true, serving: true, terminating: false }, state: 'ready' },
    { name: 'nothing is said', conditions: {}, state: 'ready' },
    { name: 'nor that there are conditions', conditions: undefined, state: 'ready' },
    { name: 'as Go writes what it does not know', conditions: { ready: null, terminating: null }, state: 'ready' },
    { name: 'not ready', conditions: { ready: false, serving: false, terminating: false }, state: 'unready' },
    { name: 'leaving, and still serving', conditions: { ready: false, serving: true, terminating: true }, state: 'leaving' },
    { name: 'leaving', conditions: { ready: false, serving: false, terminating: true }, state: 'leaving' },
    { name: 'leaving, of a Service that publishes any', conditions: { ready: true, terminating: true }, state: 'ready' },
  ]
  for (const { name, conditions, state } of cases) {
    const facts = sliceFactsOf({ metadata: METADATA, endpoints: [pod('u1', conditions)] })
    t.same(facts, { namespace: 'shop', service: 'cart', ready: [], unready: [], leaving: [], [state]: ['u1'] }, name)
  }
})

t.test('endpoints', async (t) => {
  const cases = [
    { name: 'none', endpoints: [], ready: [] },
    { name: 'null, as of a headless Service without pods', endpoints: null, ready: [] },
    { name: 'pods', endpoints: [pod('u1'), pod('u2')], ready: ['u1', 'u2'] },
    { name: 'no target', endpoints: [{ addresses: ['10.9.0.1'] }], ready: ['10.9.0.1'] },
    {
      name: 'a target without a uid',
      endpoints: [{ addresses: ['10.9.0.1'], targetRef: { kind: 'Pod', name: 'p' } }],
      ready: ['10.9.0.1'],
    },
    { name: 'some addresses, in whatever order', endpoints: [{ addresses: ['10.9.0.2', '10.9.0.1'] }], ready: ['10.9.0.1,10.9.0.2'] },
    { name: 'nothing to tell it by', endpoints: [{}, null, 7], ready: [] },
  ]
  for (const { name, endpoints, ready } of cases) t.same(sliceFactsOf({ metadata: METADATA, endpoints })?.ready, ready, name)
})

t.test('the text of a uid that is kept elsewhere', async (t) => {
  const asked: unknown[] = []
  const share = (uid: string, addresses: readonly unknown[]) => {
    asked.push([uid, addresses])
    return `${uid} of another`
  }
  const endpoints = [pod('u1'), { addresses: ['10.9.0.1'] }]
  t.same(sliceFactsOf({ metadata: METADATA, endpoints }, share)?.ready, ['u1 of another', '10.9.0.1'])
  t.same(asked, [['u1', ['10.1.0.1']]], 'of pods only')
})

t.test('what is none of a Service', async (t) => {
  const cases = [
    { name: 'nothing', raw: undefined },
    { name: 'no metadata', raw: {} },
    { name: 'no label', raw: { metadata: { ...METADATA, labels: {} } } },
    { name: 'no namespace', raw: { metadata: { ...METADATA, namespace: '' } } },
  ]
  for (const { name, raw } of cases) t.equal(sliceFactsOf(raw), undefined, name)
})
