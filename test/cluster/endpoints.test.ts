// Two directories as programs, which may what the chart lets them, before a real API server: one of them counts endpoints, and when it dies the
// other one does.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { ELECTION_LEASE } from '../../src/cluster/election-lease.js'
import { readDirectoryAccess } from '../deploy/access.js'
import { ask } from '../http/client.js'
import { eventually } from '../lab/world.js'
import { type Started, startProgram } from '../program.js'
import { createToken } from './access.js'
import type { KubeObject } from './client.js'
import type { Cluster } from './cluster.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createEndpointSlice, createNamespace, createRunningPod, type EndpointGiven, setEndpoints, setPodStatus } from './objects.js'
import { create, read, remove } from './resource.js'
import { clusterTest } from './suite.js'

/** 15 s, and the 4.4 s after which one that has it not has looked again; somewhat more, since the machine is shared. */
const TAKEN_WITHIN_MS = 22_000
const MOVED_MS = 5_500
const POLL_MS = 50

interface Replica extends Started {
  readonly name: string
  readonly url: string
}

async function startReplica(t: Test, cluster: Cluster, { name, kubeconfig }: { readonly name: string; readonly kubeconfig: string }) {
  const config = join(cluster.folder, `${name}.yaml`)
  await writeFile(config, JSON.stringify({ kubernetes: { kubeconfig } }))
  const started = startProgram(['directory', `--config.file=${config}`, '--web.listen-address=127.0.0.1:0'])
  let log = ''
  started.child.stderr?.on('data', (piece: Buffer) => {
    log += piece
  })
  t.teardown(() => started.child.kill('SIGKILL'))
  await started.says('agents are answered')
  return { ...started, name, url: /url=(http:\S+)/.exec(log)?.[1] ?? '' }
}

/** Lines of the families of endpoints as `NAME{LABELS} VALUE`, and whether it says that it has the Lease. */
async function scrape({ url }: Replica) {
  const { text } = await ask(url, { path: '/metrics' })
  const lines = text.split('\n')
  return {
    isLeader: lines.includes('meshtoll_directory_leader 1'),
    isUp: lines.includes('meshtoll_source_up{source="endpoints"} 1'),
    served: lines.filter((line) => line.startsWith('meshtoll_endpoint_') && !line.endsWith(' 0')),
  }
}

/** Looks at all of them again and again; what is seen of two at once is a fault. */
function startLookout(t: Test, replicas: readonly Replica[]) {
  const leaders: string[] = []
  const faults: string[] = []
  let isOver = false
  const look = async (): Promise<void> => {
    const seen = await Promise.all(replicas.map((one) => scrape(one).catch(() => undefined)))
    const now = replicas.filter((_, index) => seen[index]?.isLeader).map(({ name }) => name)
    if (now.length > 1) faults.push(now.join(' and '))
    for (const one of seen) if (one && !one.isLeader && one.served.length > 0) faults.push('one that is not the leader serves')
    const [leader = ''] = now
    if (leaders.at(-1) !== leader) leaders.push(leader)
  }
  const looking = (async () => {
    while (!isOver) {
      await look()
      await sleep(POLL_MS)
    }
  })()
  t.teardown(async () => {
    isOver = true
    await looking
  })
  return { leaders, faults }
}

const leaderOf = (replicas: readonly Replica[], withinMs = TAKEN_WITHIN_MS): Promise<Replica> =>
  eventually(
    'a leader',
    async () => {
      for (const one of replicas) if ((await scrape(one).catch(() => undefined))?.isLeader) return one
      return undefined
    },
    withinMs,
  )

const change = (service: string, what: string, times: number): string =>
  `meshtoll_endpoint_changes_total{service_namespace="shop",service_name="${service}",change="${what}"} ${times}`
const restarts = (service: string, reason: string, times: number): string =>
  `meshtoll_endpoint_pod_restarts_total{service_namespace="shop",service_name="${service}",reason="${reason}"} ${times}`
/** Of the one that has the Lease from the start; `errors`: of pods of cart. */
const counted = ({ added, errors }: { readonly added: number; readonly errors: number }): readonly string[] => [
  change('cart', 'unready', 1),
  change('cart', 'ready', 2),
  change('cart', 'added', added),
  change('cart', 'removed', 1),
  change('stock', 'added', 1),
  restarts('cart', 'OOMKilled', 1),
  restarts('cart', 'Error', errors),
  restarts('stock', 'Error', 1),
]

await clusterTest(
  async (t, cluster) => {
    const { admin } = cluster
    const { account, objects } = await readDirectoryAccess()
    for (const name of [account.namespace, 'shop']) await createNamespace(admin, name)
    for (const object of objects) await create(admin, object)
    const kubeconfig = await writeKubeconfig(cluster, {
      token: await createToken(admin, { ...account, expirationSeconds: 3_600 }),
      namespace: account.namespace,
    })
    const start = (name: string): Promise<Replica> => startReplica(t, cluster, { name, kubeconfig })

    const pods: KubeObject[] = []
    for (let index = 0; index < 4; index++) {
      const restartCount = index === 0 ? 3 : 0
      const podIps = [`10.1.1.${index + 2}`]
      const containerStatuses = [{ name: 'main', restartCount }]
      pods.push(await createRunningPod(admin, { namespace: 'shop', name: `cart-${index}`, node: 'n1', podIps, containerStatuses }))
    }
    const endpointOf = (index: number, conditions: EndpointGiven['conditions'] = { ready: true }): EndpointGiven => {
      const { name = '', uid = '' } = pods[index]?.metadata ?? {}
      return { address: `10.1.1.${index + 2}`, pod: name, uid, conditions }
    }
    const set = async (slice: KubeObject, endpoints: readonly EndpointGiven[]): Promise<void> =>
      void (await setEndpoints(admin, slice, endpoints))
    const restart = (index: number, restartCount: number, reason: string): Promise<KubeObject> => {
      const lastState = { terminated: { exitCode: 1, reason, finishedAt: '2026-01-01T00:00:00Z' } }
      return setPodStatus(admin, pods[index] as KubeObject, { containerStatuses: [{ name: 'main', restartCount, lastState }] })
    }
    const first = await createEndpointSlice(admin, {
      namespace: 'shop',
      service: 'cart',
      name: 'cart-1',
      endpoints: [0, 1].map((one) => endpointOf(one)),
    })
    const second = await createEndpointSlice(admin, { namespace: 'shop', service: 'cart', name: 'cart-2', endpoints: [endpointOf(2)] })

    const replicas = await Promise.all(['one', 'two'].map(start))
    const { leaders, faults } = startLookout(t, replicas)
    const served = async (replica: Replica, wanted: readonly string[]): Promise<void> => {
      let last: readonly string[] = []
      const isServed = async (): Promise<true | undefined> => {
        last = (await scrape(replica)).served
        return [...last].sort().join() === [...wanted].sort().join() || undefined
      }
      await eventually('what is counted', isServed).catch(() => undefined)
      t.same([...last].sort(), [...wanted].sort())
    }

    const leader = await leaderOf(replicas)
    const other = replicas.find((one) => one !== leader) as Replica
    await leader.says('all endpoints are known')

    t.test('one of two counts, and exactly', async (t) => {
      t.match(await scrape(leader), { isUp: true, served: [] }, 'what was there is no change')
      await set(first, [endpointOf(0), endpointOf(1, { ready: false })])
      await set(first, [endpointOf(0), endpointOf(1), endpointOf(3, { ready: false })])
      await set(first, [endpointOf(0), endpointOf(3)])
      await set(second, [endpointOf(2), endpointOf(1)])
      await restart(0, 4, 'OOMKilled')
      await restart(1, 2, 'Error')
      await set(second, [endpointOf(1)])
      await createEndpointSlice(admin, { namespace: 'shop', service: 'stock', endpoints: [endpointOf(0)] })
      await restart(0, 5, 'Error')
      await sleep(MOVED_MS)
      await served(leader, counted({ added: 1, errors: 3 }))
      t.match(await scrape(other), { isLeader: false, isUp: true, served: [] })
      const lease = await read(admin, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { ...account, name: ELECTION_LEASE },
      })
      t.match(lease.spec, { holderIdentity: /^.+_[0-9a-f-]{36}$/, leaseDurationSeconds: 15, leaseTransitions: 0, renewTime: /\.\d{6}Z$/ })
    })

    t.test('after a 410 only what differs is counted', async (t) => {
      await cluster.compact()
      await set(second, [endpointOf(1), endpointOf(2)])
      await restart(3, 2, 'Error')
      await sleep(MOVED_MS)
      await eventually('it is followed again', async () => ((await scrape(leader)).isUp ? true : undefined), 60_000)
      await served(leader, counted({ added: 2, errors: 5 }))
      t.same(
        leaders.filter(Boolean),
        leaders.filter(Boolean).map(() => leader.name),
        'it is the same one',
      )
    })

    t.test('kill -9 of the one that counts', async (t) => {
      const killedAtMs = performance.now()
      leader.child.kill('SIGKILL')
      await leaderOf([other])
      const takenMs = performance.now() - killedAtMs
      t.ok(takenMs < TAKEN_WITHIN_MS, `the other one has it after ${(takenMs / 1_000).toFixed(1)} s`)
      t.comment(`taken over after ${(takenMs / 1_000).toFixed(1)} s`)
      await other.says('all endpoints are known')
      await set(second, [endpointOf(1)])
      await restart(0, 6, 'Error')
      await sleep(MOVED_MS)
      await served(other, [change('cart', 'removed', 1), restarts('cart', 'Error', 1), restarts('stock', 'Error', 1)])
    })

    t.test('SIGTERM of the one that counts', async (t) => {
      const third = await start('three')
      const atMs = performance.now()
      other.child.kill('SIGTERM')
      t.match(await other.ended, { status: 0 })
      t.ok(performance.now() - atMs < 2_000, 'it stops as fast as ever')
      await leaderOf([third])
      t.ok(performance.now() - atMs < 7_000, 'nobody waits until it expires')
      await remove(admin, second)
      await third.says('all endpoints are known')
    })

    t.test('never two', async (t) => {
      t.same(faults, [])
      t.same(leaders.filter(Boolean), [leader.name, other.name])
    })
  },
  { timeoutMs: 240_000 },
)
