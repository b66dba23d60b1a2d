// Two replicas that push, before an intake that forgives nothing; one of them has the Lease.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.js'
import type { ElectionLease } from '../../src/cluster/election-lease.js'
import type { Slices } from '../../src/directory/endpoints/endpoints.js'
import { startIntake } from '../datadog/intake.js'
import { serveDirectory } from './served.js'

const SERVICE = { namespace: 'shop', service: 'cart', unready: [], leaving: [] }
const FREE: ElectionLease = { holder: '', acquireTime: '', transitions: 0, resourceVersion: '1', metadata: {} }

const HELD = { read: async () => FREE, write: async (holding: object) => ({ ...holding, resourceVersion: '2', metadata: {} }) }

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20)
}

t.test('what is counted once is pushed once, to the last change before a stop', async (t) => {
  const intake = await startIntake(t, { now: Date.now })
  const datadog = { enabled: true, url: intake.url, tags: ['env:test'], flushIntervalMs: 1_200 }
  let slices: Slices | undefined
  const other = await serveDirectory(t, { datadog, hostName: 'directory-1' })
  const holder = await serveDirectory(t, {
    datadog,
    lease: HELD as never,
    followSlices: async (into) => {
      slices = into
    },
  })
  await until(() => holder.log.some((line) => line.includes('all endpoints are known')))
  slices?.put('shop/cart-1', { ...SERVICE, ready: ['a', 'b'] })
  const added = () => intake.sum('meshtoll.endpoint.changes', 'change:added')
  await until(() => added() === 2)
  t.same([holder.mayEndLeases(), other.mayEndLeases()], [true, false], 'nor does the other one end anything in the cluster')
  slices?.put('shop/cart-1', { ...SERVICE, ready: ['a', 'b', 'c'] })
  await Promise.all([holder.stop(), other.stop()])
  t.equal(added(), 3)
  t.same(intake.problems, [])
  const points = intake.points()
  t.same([...new Set(points.filter(({ metric }) => metric.startsWith('meshtoll.endpoint.')).map(({ host }) => host))], ['directory-0'])
  const leaders = points.filter(({ metric, value }) => metric === 'meshtoll.directory.leader' && value === 1)
  t.same([...new Set(leaders.map(({ host }) => host))], ['directory-0'])
  const hosts = points.filter(({ metric }) => metric === 'meshtoll.build.info').map(({ host }) => host)
  t.same([...new Set(hosts)].sort(), ['directory-0', 'directory-1'], 'each says that it is there, as a host of its own')
  t.ok(points.every(({ tags }) => tags.includes('env:test')))
  const { options } = COMMANDS.find(({ name }) => name === 'directory') ?? {}
  t.same([...holder.optionsRead].sort(), [...(options ?? [])].sort(), 'its help names what it reads')
})

t.test('more Services than datadog.maxSeries', async (t) => {
  const intake = await startIntake(t, { now: Date.now })
  let slices: Slices | undefined
  const { stop, log } = await serveDirectory(t, {
    datadog: { enabled: true, url: intake.url, maxSeries: 100, flushIntervalMs: 60_000 },
    lease: HELD as never,
    followSlices: async (into) => {
      slices = into
    },
  })
  await until(() => log.some((line) => line.includes('all endpoints are known')) && intake.bodies.length > 0)
  for (let at = 0; at < 300; at++) slices?.put(`shop/s${at}`, { ...SERVICE, service: `s${at}`, ready: [`pod-${at}`] })
  await stop()
  const changes = intake.points().filter(({ metric }) => metric === 'meshtoll.endpoint.changes')
  t.equal(intake.sum('meshtoll.endpoint.changes', 'change:added'), 300, 'the sum is exact')
  t.ok(changes.length < 100, 'with fewer names')
  t.ok(changes.some(({ tags }) => tags.includes('service_name:_other') || tags.includes('service_name:other')))
})

t.test('what waits at a stop is said to be lost', async (t) => {
  const intake = await startIntake(t, { now: Date.now })
  intake.fault = () => ({ kind: 'answer', status: 503 })
  const { stop, log } = await serveDirectory(t, { datadog: { enabled: true, url: intake.url } })
  await until(() => intake.requests > 0)
  await stop()
  t.match(log.at(-1), /^warn what waits for Datadog is lost/)
})
