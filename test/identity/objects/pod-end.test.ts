import t from 'tap'
import { ms, pod } from './fixture.js'

type Case = { name: string; fixture: string; changes: Record<string, unknown>; ended: string | undefined }

const endOf = ({ fixture, changes }: Case): number | undefined => pod(fixture, changes).endedMs

t.test('a pod may send until all has ended', async (t) => {
  const deleted = { 'metadata.deletionTimestamp': '2026-03-02T11:00:40Z' }
  const cases: Case[] = [
    { name: 'running', fixture: 'pod-deployment', changes: {}, ended: undefined },
    { name: 'crashed, to be started again', fixture: 'pod-completed', changes: { 'status.phase': 'Running' }, ended: undefined },
    { name: 'unknown to its node', fixture: 'pod-deployment', changes: { 'status.phase': 'Unknown', ...deleted }, ended: undefined },
    {
      name: 'deleted, and nothing said of its containers',
      fixture: 'pod-deployment',
      changes: { ...deleted, status: { phase: 'Running' } },
      ended: undefined,
    },
    {
      name: 'deleted, and nothing known of its containers',
      fixture: 'pod-deployment',
      changes: { ...deleted, spec: {}, status: { phase: 'Running' } },
      ended: undefined,
    },
    { name: 'deleted while a sidecar runs', fixture: 'pod-terminating', changes: {}, ended: undefined },
    {
      name: 'deleted while a container waits',
      fixture: 'pod-terminated',
      changes: { 'status.containerStatuses.0.state': { waiting: { reason: 'CrashLoopBackOff' } } },
      ended: undefined,
    },
    {
      name: 'deleted while an init container runs',
      fixture: 'pod-terminated',
      changes: { 'status.initContainerStatuses.0.state': { running: { startedAt: '2026-03-02T06:00:03Z' } } },
      ended: undefined,
    },
    {
      name: 'deleted while the status of a sidecar is missing',
      fixture: 'pod-terminated',
      changes: { 'status.initContainerStatuses': [] },
      ended: undefined,
    },
    {
      name: 'deleted while a debug container runs',
      fixture: 'pod-terminated',
      changes: { 'status.ephemeralContainerStatuses': [{ name: 'debugger', state: { running: { startedAt: '2026-03-02T10:00:00Z' } } }] },
      ended: undefined,
    },
    {
      name: 'deleted while a debug container is on its way',
      fixture: 'pod-terminated',
      changes: { 'spec.ephemeralContainers': [{ name: 'debugger' }] },
      ended: undefined,
    },
    { name: 'a deletion that is no time', fixture: 'pod-terminated', changes: { 'metadata.deletionTimestamp': 'soon' }, ended: undefined },
    { name: 'deleted, all ended', fixture: 'pod-terminated', changes: {}, ended: '2026-03-02T11:00:15Z' },
    {
      name: 'deleted, all ended, the debug container last',
      fixture: 'pod-terminated',
      changes: {
        'status.ephemeralContainerStatuses': [{ name: 'debugger', state: { terminated: { finishedAt: '2026-03-02T11:00:20Z' } } }],
      },
      ended: '2026-03-02T11:00:20Z',
    },
  ]
  for (const one of cases) t.equal(endOf(one), one.ended && ms(one.ended), one.name)
})

t.test('when it ended', async (t) => {
  const lost = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', startedAt: null, finishedAt: null } }
  const cases: Case[] = [
    { name: 'the last container, not the first of the list', fixture: 'pod-completed', changes: {}, ended: '2026-03-02T01:04:29Z' },
    { name: 'failed', fixture: 'pod-completed', changes: { 'status.phase': 'Failed' }, ended: '2026-03-02T01:04:29Z' },
    { name: 'a lost container: when the conditions turned', fixture: 'pod-evicted', changes: {}, ended: '2026-03-02T03:21:12Z' },
    {
      name: 'a lost container, and no conditions of the kubelet: when it was to be gone',
      fixture: 'pod-evicted',
      changes: { 'status.conditions': [], 'metadata.deletionTimestamp': '2026-03-02T04:00:00Z' },
      ended: '2026-03-02T04:00:00Z',
    },
    {
      name: 'the same with a condition of a load balancer, which turned later',
      fixture: 'pod-evicted',
      changes: {
        'status.conditions': [{ type: 'target-health.example.com/web', lastTransitionTime: '2026-03-02T09:00:00Z' }],
        'metadata.deletionTimestamp': '2026-03-02T04:00:00Z',
      },
      ended: '2026-03-02T04:00:00Z',
    },
    {
      name: 'deleted since: as before',
      fixture: 'pod-evicted',
      changes: { 'metadata.deletionTimestamp': '2026-03-02T10:00:00Z' },
      ended: '2026-03-02T03:21:12Z',
    },
    {
      name: 'its node is gone, the container said to run',
      fixture: 'pod-evicted',
      changes: { 'status.containerStatuses.0.state': { running: { startedAt: '2026-03-01T06:00:10Z' } } },
      ended: '2026-03-02T03:21:12Z',
    },
    {
      name: 'waiting when it was evicted',
      fixture: 'pod-evicted',
      changes: { 'status.containerStatuses.0.state': { waiting: { reason: 'ContainerCreating' } } },
      ended: '2026-03-02T03:21:12Z',
    },
    {
      name: 'a debug container that outlived the conditions',
      fixture: 'pod-evicted',
      changes: {
        'status.ephemeralContainerStatuses': [{ name: 'debugger', state: { terminated: { finishedAt: '2026-03-02T03:21:40Z' } } }],
      },
      ended: '2026-03-02T03:21:40Z',
    },
    {
      name: 'refused by its node, nothing ever ran',
      fixture: 'pod-evicted',
      changes: { status: { phase: 'Failed', reason: 'OutOfcpu', startTime: '2026-03-01T06:00:01Z' } },
      ended: '2026-03-01T06:00:01Z',
    },
    {
      name: 'deleted, a container lost: when it was to be gone',
      fixture: 'pod-terminated',
      changes: { 'status.containerStatuses.0.state': lost },
      ended: '2026-03-02T11:00:40Z',
    },
    {
      name: 'by a clock that was set back: not before its start',
      fixture: 'pod-completed',
      changes: { 'status.startTime': '2026-03-02T05:00:00Z' },
      ended: '2026-03-02T05:00:00Z',
    },
  ]
  for (const one of cases) t.equal(endOf(one), one.ended && ms(one.ended), one.name)
})
