import t from 'tap'
import type { OwnerReference } from '../../../src/identity/objects/owner-reference.js'
import { directOwnerOf, lostOwnerOf, stepOf } from '../../../src/identity/owners/direct-owner.js'
import { pod } from '../objects/fixture.js'

type Case = { name: string; fixture: string; changes?: Record<string, unknown>; says: string }

const KIND = 'metadata.ownerReferences.0.kind'
const VERSION = 'metadata.ownerReferences.0.apiVersion'

t.test('directOwnerOf', async (t) => {
  const cases: Case[] = [
    { name: 'of a Deployment', fixture: 'pod-deployment', says: 'ReplicaSet cart-7d9f8c6b54' },
    { name: 'of a StatefulSet', fixture: 'pod-statefulset', says: 'StatefulSet orders-db' },
    { name: 'of a DaemonSet', fixture: 'pod-daemonset', says: 'DaemonSet log-shipper' },
    { name: 'of a CronJob', fixture: 'pod-cronjob', says: 'Job backup-29540520' },
    {
      name: 'of a kind that Kubernetes does not know',
      fixture: 'pod-deployment',
      changes: { [KIND]: 'CloneSet' },
      says: 'CloneSet cart-7d9f8c6b54',
    },
    { name: 'bare', fixture: 'pod-bare', says: 'Pod toolbox' },
    {
      name: 'bare, with a word at the end that could be random',
      fixture: 'pod-bare',
      changes: { 'metadata.name': 'web-httpd' },
      says: 'Pod web-httpd',
    },
    { name: 'bare, of a generated name', fixture: 'pod-bare-generated', says: 'Pod load-test' },
    {
      name: 'bare, generated without a dash',
      fixture: 'pod-bare-generated',
      changes: { 'metadata.generateName': 'load' },
      says: 'Pod load',
    },
    { name: 'bare, generated from a dash', fixture: 'pod-bare-generated', changes: { 'metadata.generateName': '-' }, says: 'Pod -' },
    {
      name: 'taken out of its ReplicaSet',
      fixture: 'pod-deployment',
      changes: { 'metadata.ownerReferences': undefined },
      says: 'Pod cart-7d9f8c6b54',
    },
    { name: 'static', fixture: 'pod-static', says: 'StaticPod etcd' },
    {
      name: 'static, not named after its node',
      fixture: 'pod-static',
      changes: { 'spec.nodeName': 'plane-1x' },
      says: 'StaticPod etcd-control-plane-1',
    },
    {
      name: 'static, without a node',
      fixture: 'pod-static',
      changes: { 'spec.nodeName': undefined, 'metadata.name': 'etcd-' },
      says: 'StaticPod etcd-',
    },
    {
      name: 'static, named after its node alone',
      fixture: 'pod-static',
      changes: { 'metadata.name': '-control-plane-1' },
      says: 'StaticPod -control-plane-1',
    },
  ]
  for (const { name, fixture, changes, says } of cases) {
    const owner = directOwnerOf(pod(fixture, changes))
    t.equal(`${owner.kind} ${owner.name}`, says, name)
    t.ok(Object.isFrozen(owner), `${name}: frozen`)
  }
})

t.test('stepOf', async (t) => {
  const cases: { name: string; fixture: string; changes?: Record<string, unknown>; isStep: boolean }[] = [
    { name: 'a ReplicaSet', fixture: 'pod-deployment', isStep: true },
    { name: 'a ReplicaSet of old', fixture: 'pod-deployment', changes: { [VERSION]: 'extensions/v1beta1' }, isStep: true },
    { name: 'a Job', fixture: 'pod-cronjob', isStep: true },
    { name: "Volcano's Job", fixture: 'pod-cronjob', changes: { [VERSION]: 'batch.volcano.sh/v1alpha1' }, isStep: false },
    { name: 'a ReplicaSet of the core group', fixture: 'pod-deployment', changes: { [VERSION]: 'v1' }, isStep: false },
    { name: 'a StatefulSet', fixture: 'pod-statefulset', isStep: false },
    { name: 'a kind that every object inherits', fixture: 'pod-deployment', changes: { [KIND]: 'constructor' }, isStep: false },
    { name: 'none', fixture: 'pod-bare', isStep: false },
    { name: 'of a static pod', fixture: 'pod-static', changes: { [KIND]: 'ReplicaSet', [VERSION]: 'apps/v1' }, isStep: false },
  ]
  for (const { name, fixture, changes, isStep } of cases) {
    const facts = pod(fixture, changes)
    t.equal(stepOf(facts), isStep ? facts.controller : undefined, name)
  }
})

t.test('lostOwnerOf', async (t) => {
  const cases: Case[] = [
    { name: 'a ReplicaSet of a Deployment', fixture: 'pod-deployment', says: 'Deployment cart' },
    { name: 'a ReplicaSet of a Rollout', fixture: 'pod-rollout', says: 'Rollout checkout' },
    {
      name: 'a ReplicaSet of nobody',
      fixture: 'pod-deployment',
      changes: { 'metadata.labels': { app: 'cart' } },
      says: 'ReplicaSet cart-7d9f8c6b54',
    },
    { name: 'a Job', fixture: 'pod-cronjob', says: 'Job backup-29540520' },
  ]
  for (const { name, fixture, changes, says } of cases) {
    const facts = pod(fixture, changes)
    const owner = lostOwnerOf(facts, facts.controller as OwnerReference)
    t.equal(`${owner.kind} ${owner.name}`, says, name)
  }
})
