import t from 'tap'
import { type PodPlace, type RawNode, wantsNode } from '../../src/cluster/daemon-nodes.js'

const nodeOf = (labels: Record<string, string> = {}, taints: NonNullable<RawNode['spec']>['taints'] = []): RawNode => ({
  metadata: { name: 'n1', labels },
  spec: { taints },
})
const requiring = (...nodeSelectorTerms: object[]): PodPlace => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
})
const expecting = (key: string, operator: string, ...values: string[]): PodPlace =>
  requiring({ matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }] })
const tolerating = (...tolerations: NonNullable<PodPlace['tolerations']>): PodPlace => ({ tolerations })
const DEDICATED = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }
const tainted = nodeOf({}, [DEDICATED])
const ofNode = (name: string, effect: string, by = 'node') => nodeOf({}, [{ key: `${by}.kubernetes.io/${name}`, effect }])

t.test('which nodes a DaemonSet wants', async (t) => {
  const cases: readonly { name: string; pod: PodPlace; node: RawNode; wanted: boolean }[] = [
    { name: 'it asks for nothing', pod: {}, node: { metadata: { name: 'n1' } }, wanted: true },
    { name: 'a label that the node has', pod: { nodeSelector: { pool: 'a' } }, node: nodeOf({ pool: 'a' }), wanted: true },
    { name: 'another value of it', pod: { nodeSelector: { pool: 'a' } }, node: nodeOf({ pool: 'b' }), wanted: false },
    { name: 'one of two labels', pod: { nodeSelector: { pool: 'a', os: 'linux' } }, node: nodeOf({ pool: 'a' }), wanted: false },
    { name: 'In', pod: expecting('pool', 'In', 'a', 'b'), node: nodeOf({ pool: 'b' }), wanted: true },
    { name: 'In, without the label', pod: expecting('pool', 'In', 'a'), node: nodeOf(), wanted: false },
    { name: 'NotIn', pod: expecting('pool', 'NotIn', 'a'), node: nodeOf({ pool: 'a' }), wanted: false },
    { name: 'NotIn, without the label', pod: expecting('pool', 'NotIn', 'a'), node: nodeOf(), wanted: true },
    { name: 'Exists', pod: expecting('pool', 'Exists'), node: nodeOf({ pool: '' }), wanted: true },
    { name: 'DoesNotExist', pod: expecting('pool', 'DoesNotExist'), node: nodeOf({ pool: '' }), wanted: false },
    { name: 'Gt', pod: expecting('cores', 'Gt', '8'), node: nodeOf({ cores: '16' }), wanted: true },
    { name: 'Gt of what is no number', pod: expecting('cores', 'Gt', '8'), node: nodeOf({ cores: 'many' }), wanted: false },
    { name: 'Lt', pod: expecting('cores', 'Lt', '8'), node: nodeOf({ cores: '8' }), wanted: false },
    { name: 'a term that asks for nothing', pod: requiring({}), node: nodeOf(), wanted: false },
    {
      name: 'one of two terms',
      pod: requiring({}, { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }),
      node: nodeOf(),
      wanted: true,
    },
    {
      name: 'another name',
      pod: requiring({ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n1'] }] }),
      node: nodeOf(),
      wanted: false,
    },
    {
      name: 'both parts of a term',
      pod: requiring({
        matchExpressions: [{ key: 'pool', operator: 'Exists' }],
        matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }],
      }),
      node: nodeOf(),
      wanted: false,
    },
    { name: 'a taint', pod: {}, node: tainted, wanted: false },
    { name: 'a taint that only asks', pod: {}, node: nodeOf({}, [{ ...DEDICATED, effect: 'PreferNoSchedule' }]), wanted: true },
    { name: 'all taints are tolerated', pod: tolerating({ operator: 'Exists' }), node: tainted, wanted: true },
    { name: 'this one is', pod: tolerating({ key: 'dedicated', value: 'gpu' }), node: tainted, wanted: true },
    { name: 'another value of it is', pod: tolerating({ key: 'dedicated', value: 'db' }), node: tainted, wanted: false },
    {
      name: 'another effect of it is',
      pod: tolerating({ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }),
      node: tainted,
      wanted: false,
    },
    { name: 'a node that is cordoned', pod: {}, node: ofNode('unschedulable', 'NoSchedule'), wanted: true },
    { name: 'a node that is not ready', pod: {}, node: ofNode('not-ready', 'NoSchedule'), wanted: true },
    {
      name: 'a node that a cloud has not made known yet',
      pod: {},
      node: ofNode('uninitialized', 'NoSchedule', 'node.cloudprovider'),
      wanted: true,
    },
  ]
  for (const { name, pod, node, wanted } of cases) t.equal(wantsNode(pod, node), wanted, name)
})

t.test('an operator that is not known: nobody says', async (t) => {
  t.throws(() => wantsNode(expecting('pool', 'Like', 'a'), nodeOf({ pool: 'a' })), {
    message: /said by Like, an operator that is not known/,
  })
  t.throws(() => wantsNode(tolerating({ key: 'dedicated', operator: 'Gt', value: '1' }), tainted), { message: /said by Gt/ })
})
