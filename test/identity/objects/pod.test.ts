import t from 'tap'
import { type PodFacts, podFactsOf } from '../../../src/identity/objects/pod.js'
import { changed, fixture, ms, picked, pod } from './fixture.js'

const CART: PodFacts = {
  uid: '0c1f6f0e-58a5-4a3e-9d0b-3b1f5a7c2e01',
  namespace: 'shop',
  name: 'cart-7d9f8c6b54-x2k9p',
  node: 'ip-10-0-1-23.ec2.internal',
  hostNetwork: false,
  addresses: ['10.1.0.10'],
  startedMs: ms('2026-03-02T08:15:30Z'),
  endedMs: undefined,
  controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-7d9f8c6b54', uid: '9a5b7c1d-2e3f-4a5b-8c6d-7e8f9a0b1c2d' },
  generateName: 'cart-7d9f8c6b54-',
  isStatic: false,
  templatedBy: 'Deployment',
}

t.test('a pod of a Deployment, whole', async (t) => {
  const facts = pod('pod-deployment')
  t.strictSame(facts, CART)
  t.ok([facts, facts.addresses, facts.controller].every(Object.isFrozen), 'frozen')
})

t.test('what makes other pods different', async (t) => {
  const cases: { name: string; fixture: string; facts: Partial<PodFacts> }[] = [
    {
      name: 'StatefulSet',
      fixture: 'pod-statefulset',
      facts: {
        controller: { ...reference('apps/v1', 'StatefulSet', 'orders-db'), uid: '3a4b5c6d-7e8f-4091-a2b3-c4d5e6f70819' },
        templatedBy: '',
      },
    },
    { name: 'DaemonSet', fixture: 'pod-daemonset', facts: { generateName: 'log-shipper-', templatedBy: '', endedMs: undefined } },
    {
      name: 'Job of a CronJob',
      fixture: 'pod-cronjob',
      facts: { controller: { ...reference('batch/v1', 'Job', 'backup-29540520'), uid: '7e8f9012-3456-4d7e-9f80-8192a3b4c5d6' } },
    },
    { name: 'Argo Rollout', fixture: 'pod-rollout', facts: { templatedBy: 'Rollout' } },
    { name: 'without a controller', fixture: 'pod-bare', facts: { controller: undefined, generateName: '', isStatic: false } },
    {
      name: 'static',
      fixture: 'pod-static',
      facts: { isStatic: true, hostNetwork: true, node: 'control-plane-1', addresses: ['192.168.1.11'] },
    },
    { name: 'not scheduled yet', fixture: 'pod-pending', facts: { node: '', addresses: [], startedMs: ms('2026-03-02T10:00:00Z') } },
    { name: 'dual stack', fixture: 'pod-dual-stack', facts: { addresses: ['10.1.0.12', 'fd00:10:1::c'] } },
    { name: "in the host's network", fixture: 'pod-host-network', facts: { hostNetwork: true, addresses: ['10.0.1.23'] } },
    { name: 'evicted', fixture: 'pod-evicted', facts: { endedMs: ms('2026-03-02T03:21:12Z'), addresses: ['10.1.0.63'] } },
    { name: 'completed', fixture: 'pod-completed', facts: { endedMs: ms('2026-03-02T01:04:29Z') } },
    { name: 'with a sidecar', fixture: 'pod-sidecar', facts: { endedMs: undefined } },
    { name: 'terminating, with the sidecar still up', fixture: 'pod-terminating', facts: { endedMs: undefined } },
    { name: 'terminating, with all containers down', fixture: 'pod-terminated', facts: { endedMs: ms('2026-03-02T11:00:15Z') } },
  ]
  for (const { name, fixture, facts } of cases) t.strictSame(picked(pod(fixture), facts), facts, name)
})

t.test('what else can be missing or odd', async (t) => {
  const hash = 'metadata.labels.pod-template-hash'
  const cases: { name: string; fixture?: string; changes: Record<string, unknown>; facts: Partial<PodFacts> }[] = [
    { name: 'one of a list, which does not say what it is', changes: { kind: undefined, apiVersion: undefined }, facts: CART },
    { name: 'not taken up by the kubelet', changes: { 'status.startTime': undefined }, facts: { startedMs: ms('2026-03-02T08:15:29Z') } },
    { name: 'a start that is no time', changes: { 'status.startTime': 'soon' }, facts: { startedMs: ms('2026-03-02T08:15:29Z') } },
    { name: 'only podIP, as before dual stack', changes: { 'status.podIPs': undefined }, facts: { addresses: ['10.1.0.10'] } },
    { name: 'only podIPs', changes: { 'status.podIP': undefined }, facts: { addresses: ['10.1.0.10'] } },
    {
      name: 'an owner that is not the controller',
      changes: { 'metadata.ownerReferences.0.controller': false },
      facts: { controller: undefined, templatedBy: '' },
    },
    { name: 'a controller without a uid', changes: { 'metadata.ownerReferences.0.uid': undefined }, facts: { controller: undefined } },
    ...['_unknown', 'a'.repeat(254), 'a\nb', 'a"b', 'a/b'].map((name) => ({
      name: `a controller that nothing can be called: ${name.slice(0, 20)}`,
      changes: { 'metadata.ownerReferences.0.name': name },
      facts: { controller: undefined },
    })),
    ...['_other', 'Replica Set', 'K'.repeat(64)].map((kind) => ({
      name: `a controller of no kind: ${kind.slice(0, 20)}`,
      changes: { 'metadata.ownerReferences.0.kind': kind },
      facts: { controller: undefined },
    })),
    {
      name: 'a mirror without an owner, as before 1.17',
      fixture: 'pod-static',
      changes: { 'metadata.ownerReferences': undefined },
      facts: { isStatic: true },
    },
    { name: 'a mirror by its owner', fixture: 'pod-static', changes: { 'metadata.annotations': undefined }, facts: { isStatic: true } },
    {
      name: 'a Node of another group',
      fixture: 'pod-static',
      changes: { 'metadata.annotations': undefined, 'metadata.ownerReferences.0.apiVersion': 'example.com/v1' },
      facts: { isStatic: false },
    },
    { name: "a hash that the ReplicaSet's name does not have", changes: { [hash]: 'abc' }, facts: { templatedBy: '' } },
    { name: 'a hash that is not behind a dash', changes: { [hash]: '9f8c6b54' }, facts: { templatedBy: '' } },
    { name: 'no hash', changes: { [hash]: undefined }, facts: { templatedBy: '' } },
    { name: 'an empty hash', changes: { [hash]: '', 'metadata.ownerReferences.0.name': 'cart-' }, facts: { templatedBy: '' } },
    { name: 'a hash and nothing before', changes: { 'metadata.ownerReferences.0.name': '-7d9f8c6b54' }, facts: { templatedBy: '' } },
    {
      name: 'a hash with a dash inside',
      changes: { [hash]: 'x-7d9f8c6b54', 'metadata.ownerReferences.0.name': 'cart-x-7d9f8c6b54' },
      facts: { templatedBy: '' },
    },
    { name: 'a hash on a pod of something else', changes: { 'metadata.ownerReferences.0.kind': 'CloneSet' }, facts: { templatedBy: '' } },
  ]
  for (const { name, fixture = 'pod-deployment', changes, facts } of cases) t.strictSame(picked(pod(fixture, changes), facts), facts, name)
})

t.test('what is no pod', async (t) => {
  const cases = [
    { name: 'a node', raw: fixture('node') },
    { name: 'metrics of a pod', raw: changed('pod-deployment', { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' }) },
    { name: 'without a uid', raw: changed('pod-deployment', { 'metadata.uid': undefined }) },
    { name: 'without a name', raw: changed('pod-deployment', { 'metadata.name': '' }) },
    { name: 'without a namespace', raw: changed('pod-deployment', { 'metadata.namespace': 7 }) },
    { name: 'without any time', raw: changed('pod-deployment', { 'metadata.creationTimestamp': null, 'status.startTime': null }) },
    { name: 'null', raw: null },
    { name: 'a list', raw: [fixture('pod-deployment')] },
    { name: 'a text', raw: 'pod' },
  ]
  for (const { name, raw } of cases) t.equal(podFactsOf(raw), undefined, name)
})

function reference(apiVersion: string, kind: string, name: string): { apiVersion: string; kind: string; name: string } {
  return { apiVersion, kind, name }
}
