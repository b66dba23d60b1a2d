import t from 'tap'
import { type NodeFacts, nodeFactsOf } from '../../src/identity/objects/node.js'
import { heldAddressesOf, placeOfPod } from '../../src/identity/pod-places.js'
import { changed, fixture, pod } from './objects/fixture.js'

const nodes = new Map(
  [fixture('node'), fixture('node-old-labels'), fixture('node-without-zone')]
    .map(nodeFactsOf)
    .filter((facts): facts is NodeFacts => facts !== undefined)
    .map((facts) => [facts.name, facts] as const),
)

t.test('placeOfPod', async (t) => {
  const cases = [
    { name: 'on a node with labels', node: 'ip-10-0-1-23.ec2.internal', place: { zone: 'us-east-1a', region: 'us-east-1' } },
    { name: 'on a node with old labels', node: 'worker-2', place: { zone: 'eu-west-1b', region: 'eu-west-1' } },
    { name: 'on a node without labels', node: 'control-plane-1', place: { zone: '_unknown', region: '_unknown' } },
    { name: 'on a node that is not known yet', node: 'worker-9', place: { zone: '_unknown', region: '_unknown' } },
    { name: 'not scheduled yet', node: undefined, place: { zone: '_unknown', region: '_unknown' } },
  ]
  for (const { name, node, place } of cases) t.strictSame(placeOfPod(pod('pod-deployment', { 'spec.nodeName': node }), nodes), place, name)
})

t.test('a node with a region and no zone', async (t) => {
  const facts = nodeFactsOf(changed('node', { 'metadata.labels': { 'topology.kubernetes.io/region': 'us-east-1' } }))
  const only = new Map(facts ? [[facts.name, facts]] : [])
  t.strictSame(placeOfPod(pod('pod-deployment'), only), { zone: '_unknown', region: 'us-east-1' })
})

t.test('heldAddressesOf', async (t) => {
  const cases = [
    { name: 'of its own', fixture: 'pod-dual-stack', held: ['10.1.0.12', 'fd00:10:1::c'] },
    { name: "in the host's network", fixture: 'pod-host-network', held: [] },
    { name: 'a static pod there', fixture: 'pod-static', held: [] },
  ]
  for (const { name, fixture, held } of cases) t.strictSame(heldAddressesOf(pod(fixture)), held, name)
})
