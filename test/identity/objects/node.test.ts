import t from 'tap'
import { type NodeFacts, nodeFactsOf } from '../../../src/identity/objects/node.js'
import { changed, fixture, picked } from './fixture.js'

t.test('nodes', async (t) => {
  const cases: { name: string; raw: unknown; facts: NodeFacts | undefined }[] = [
    {
      name: 'in a cloud, dual stack, with new and old labels',
      raw: fixture('node'),
      facts: {
        name: 'ip-10-0-1-23.ec2.internal',
        uid: '12345678-9abc-4789-8abc-345678901234',
        zone: 'us-east-1a',
        region: 'us-east-1',
        internalIps: ['10.0.1.23', '2600:1f18:0:a1::17'],
        externalIps: ['203.0.113.23'],
        podCidrs: ['10.244.1.0/24', 'fd00:10:244:1::/64'],
        providerId: 'aws:///us-east-1a/i-0a1b2c3d4e5f60718',
        createdMs: Date.parse('2026-01-05T07:00:00Z'),
      },
    },
    {
      name: 'with old labels only, and only podCIDR',
      raw: fixture('node-old-labels'),
      facts: {
        name: 'worker-2',
        uid: '23456789-abcd-489a-9bcd-456789012345',
        zone: 'eu-west-1b',
        region: 'eu-west-1',
        internalIps: ['192.168.1.22'],
        externalIps: [],
        podCidrs: ['10.244.2.0/24'],
        providerId: 'openstack:///0e9f8a7b-6c5d-4e3f-8a1b-0c9d8e7f6a5b',
        createdMs: Date.parse('2026-01-05T07:00:00Z'),
      },
    },
    {
      name: 'without a zone, outside of clouds',
      raw: fixture('node-without-zone'),
      facts: {
        name: 'control-plane-1',
        uid: 'd4e5f607-1829-43a4-b5c6-d7e8f9012345',
        zone: '',
        region: '',
        internalIps: ['192.168.1.11'],
        externalIps: [],
        podCidrs: [],
        providerId: '',
        createdMs: Date.parse('2026-01-05T07:00:00Z'),
      },
    },
    { name: 'a pod', raw: fixture('pod-deployment'), facts: undefined },
    { name: 'without a name', raw: changed('node', { 'metadata.name': undefined }), facts: undefined },
    { name: 'without a uid', raw: changed('node', { 'metadata.uid': undefined }), facts: undefined },
    { name: 'metrics of a node', raw: changed('node', { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'NodeMetrics' }), facts: undefined },
  ]
  for (const { name, raw, facts } of cases) t.strictSame(nodeFactsOf(raw), facts, name)
})

t.test('odd values', async (t) => {
  const zone = 'topology.kubernetes.io/zone'
  const region = 'topology.kubernetes.io/region'
  const old = 'failure-domain.beta.kubernetes.io/region'
  const cases: { name: string; changes: Record<string, unknown>; facts: Partial<NodeFacts> }[] = [
    {
      name: 'a label without a value',
      changes: { 'metadata.labels': { [zone]: '', [region]: '', [old]: 'r' } },
      facts: { zone: '', region: 'r' },
    },
    { name: 'one label new, one old', changes: { 'metadata.labels': { [zone]: 'z', [old]: 'r' } }, facts: { zone: 'z', region: 'r' } },
    {
      name: 'ranges that are none',
      changes: { 'spec.podCIDRs': ['10.0.0.0/33', '10.0.0.1', 7], 'spec.podCIDR': '' },
      facts: { podCidrs: [] },
    },
    { name: 'a range twice', changes: { 'spec.podCIDRs': ['10.244.1.0/24', '10.244.1.0/24'] }, facts: { podCidrs: ['10.244.1.0/24'] } },
    { name: 'it does not say since when it is there', changes: { 'metadata.creationTimestamp': undefined }, facts: { createdMs: 0 } },
    {
      name: 'a name for an address',
      changes: { 'status.addresses': [{ type: 'InternalIP', address: 'worker-2' }] },
      facts: { internalIps: [] },
    },
  ]
  for (const { name, changes, facts } of cases) t.strictSame(picked(nodeFactsOf(changed('node', changes)), facts), facts, name)
})

t.test('facts are frozen', async (t) => {
  const facts = nodeFactsOf(fixture('node'))
  t.ok([facts, facts?.internalIps, facts?.externalIps, facts?.podCidrs].every(Object.isFrozen))
})
