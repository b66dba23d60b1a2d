// Istio is installed later, in an old version, and goes again: who follows a real API server hears of its objects all the same.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openApiServer } from '../../src/agent/api-server.js'
import type { Clock } from '../../src/deps.js'
import { createTenancies } from '../../src/identity/tenancies.js'
import { createKeptLog } from '../kube/kept-log.js'
import { createServiceEntry, createWorkloadEntry, installIstio, uninstallIstio } from './istio.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createNamespace } from './objects.js'
import { change, remove } from './resource.js'
import { clusterTest } from './suite.js'

/** Waits of minutes take a second. */
const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms < 60_000 ? ms / 10 : 1_000, undefined, signal && { signal }),
}
const WITHIN_MS = 20_000

await clusterTest(async (t, cluster) => {
  const { admin } = cluster
  const kubeconfig = await writeKubeconfig(cluster, { token: cluster.adminToken, namespace: 'default' })
  const [log, stopping, tenancies] = [createKeptLog(), new AbortController(), createTenancies()]
  const deps = { clock: CLOCK, log, random: randomUUID, readFile: (path: string) => readFile(path, 'utf8') }
  const api = await openApiServer({ kubeconfig, environment: {} }, deps, stopping.signal)
  t.teardown(async () => {
    stopping.abort(new Error('stopped'))
    await api.close()
  })

  /** `10.9.0.5 ServiceEntry orders in b`, of all that is outside. */
  const outside = new Map<string, string>()
  const take = (): readonly string[] => {
    for (const { address, key, untilMs, tenant } of tenancies.take().tenancies) {
      const { zone, kind, name } = tenant.who
      if (tenant.coverage !== 'outside') continue
      if (untilMs === Number.POSITIVE_INFINITY) outside.set(`${key} ${address}`, `${address} ${kind} ${name} in ${zone}`)
      else outside.delete(`${key} ${address}`)
    }
    return [...outside.values()].sort()
  }
  async function until(...wanted: readonly string[]): Promise<readonly string[]> {
    const deadline = performance.now() + WITHIN_MS
    while (String(take()) !== String(wanted) && performance.now() < deadline) await sleep(50)
    return take()
  }
  const ORDERS = '10.9.0.5 ServiceEntry orders in b'
  const VM = '10.9.0.6 WorkloadEntry vm in _unknown'

  t.test('without Istio all else is told, and nothing is wrong', async (t) => {
    await createNamespace(admin, 'shop')
    await api.followObjects(tenancies, { patienceMs: 1_000 }, stopping.signal)
    t.same([api.following.trouble, log.lines.filter((line) => !line.startsWith('debug'))], ['', []])
  })

  t.test('installed later, in an old version', async (t) => {
    await installIstio(admin, ['v1beta1'])
    const version = 'v1beta1'
    await createServiceEntry(admin, { namespace: 'shop', name: 'orders', version, endpoints: [{ address: '10.9.0.5', locality: 'r/b' }] })
    t.same(await until(ORDERS), [ORDERS])
  })

  t.test('it goes, and its objects with it', async (t) => {
    await uninstallIstio(admin)
    t.same(await until(), [])
  })

  t.test('it comes again, and what changes is heard of at once', async (t) => {
    await installIstio(admin)
    const entry = { namespace: 'shop', name: 'orders', endpoints: [{ address: '10.9.0.5', locality: 'r/b' }] }
    const orders = await createServiceEntry(admin, entry)
    const vm = await createWorkloadEntry(admin, { namespace: 'shop', name: 'vm', address: '10.9.0.6' })
    t.same(await until(ORDERS, VM), [ORDERS, VM])
    await change(admin, orders, { spec: { endpoints: [{ address: '10.9.0.5', locality: 'r/c' }, { address: '10.9.0.7' }] } })
    const changed = ['10.9.0.5 ServiceEntry orders in c', VM, '10.9.0.7 ServiceEntry orders in _unknown']
    t.same(await until(...changed), changed)
    await remove(admin, orders)
    t.same(await until(VM), [VM], 'deleted')
    await remove(admin, vm)
    t.same(await until(), [])
    t.same([api.following.trouble, log.lines.filter((line) => !line.startsWith('debug'))], ['', []])
  })
})
