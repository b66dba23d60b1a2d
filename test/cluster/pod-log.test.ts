// The log of an istiod through a real API server, which asks the kubelet of its node: each push once, through connections that break off, another
// container, kill -9 of the agent and another API server; and without the rule one line that says which.
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Test } from 'tap'
import { readAgentAccess } from '../deploy/access.js'
import { createAuthority } from '../http/certificates.js'
import { pushLine } from '../sources/container-logs/cri-log.js'
import { createKubeletLog, type KubeletLog } from '../sources/container-logs/kubelet-log.js'
import { allow, createToken } from './access.js'
import type { Cluster } from './cluster.js'
import { eventually, servedBy, startAgent } from './in-process.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createNamespace, createReplicaSet, createRunningPod } from './objects.js'
import { create, ownerOf } from './resource.js'
import { clusterTest } from './suite.js'

const SYSTEM = 'istio-system'
const POD = 'istiod-7d9f8b6c5d-x2x4v'
const OWNER = `us-east-1a/${SYSTEM}/Deployment/istiod`
const RULE = { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }

/** Its port. */
async function startKubelet(t: Test, log: KubeletLog): Promise<number> {
  const { cert, key } = createAuthority(t.testdir(), 'kubelet')
  const server: Server = createServer({ cert, key }, (asked, answer) => {
    const { pathname, searchParams } = new URL(asked.url ?? '', 'https://kubelet')
    const end = new AbortController()
    answer.on('close', () => end.abort())
    const serve = async (): Promise<void> => {
      if (pathname !== `/containerLogs/${SYSTEM}/${POD}/discovery` || searchParams.get('timestamps') !== 'true')
        return void answer.writeHead(404).end()
      const since = searchParams.get('sinceTime')
      const [previous, follow] = [searchParams.get('previous') === 'true', searchParams.get('follow') === 'true']
      const pieces = await log.place.open({ sinceMs: since === null ? undefined : Date.parse(since), previous, follow }, end.signal)
      if (!pieces) return void answer.writeHead(400).end('previous terminated container "discovery" not found')
      await pipeline(Readable.from(pieces), answer)
    }
    serve().catch(() => answer.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function prepare({ admin }: Cluster, port: number) {
  const { account, objects } = await readAgentAccess('reduced')
  for (const name of [account.namespace, SYSTEM]) await createNamespace(admin, name)
  for (const object of objects) await create(admin, object)
  await create(admin, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'us-east-1a', 'topology.kubernetes.io/region': 'us-east-1' } },
    status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } },
  })
  const owner = ownerOf(await createReplicaSet(admin, { namespace: SYSTEM, name: 'istiod-7d9f8b6c5d', deployment: 'istiod' }))
  const given = { namespace: SYSTEM, name: POD, node: 'n1', labels: { app: 'istiod' }, containers: ['discovery'], podIps: ['127.0.0.2'] }
  await createRunningPod(admin, { ...given, owner })
  return account
}

await clusterTest(async (t, cluster) => {
  t.test('each push once, whatever comes between', async (t) => {
    const log = createKubeletLog(Date.now)
    log.write('before anybody looked')
    const account = await prepare(cluster, await startKubelet(t, log))
    const token = await createToken(cluster.admin, account)
    const kubeconfig = await writeKubeconfig(cluster, { token, namespace: account.namespace, name: 'logs' })
    const stateDir = t.testdir()
    const start = () => startAgent(t, { kubeconfig, stateDir, istiod: { log: 'api', intervalMs: 50 } })
    let agent = await start()
    const refusal = /pods\/log of istio-system\/.* 403 .*; allow it with the RBAC rule .*pods\/log/
    await eventually(() => agent.log.lines.some((line) => refusal.test(line)))
    t.ok(
      agent.log.lines.some((line) => refusal.test(line)),
      'without the rule it says so',
    )
    await allow(cluster.admin, { name: 'logs', namespace: SYSTEM, rules: [RULE], serviceAccount: account })
    await eventually(() => log.isHandedOn)

    let pushes = 0
    const push = (times: number): void => {
      for (let i = 0; i < times; i++) log.write(pushLine('cart'), 0)
      pushes += times
    }
    const served = async () => {
      const causes = await servedBy(agent.agent, 'pilot_push_causes_total')
      return [causes['ServiceEntry/shop/cart/full'] ?? 0, (await servedBy(agent.agent, 'pilot_push_events_total'))[OWNER] ?? 0]
    }
    const becomes = async (name: string): Promise<void> => {
      await eventually(async () => (await served()).every((count) => count >= pushes))
      t.same(await served(), [pushes, pushes], name)
    }
    push(30)
    await becomes('as they come')
    log.breakOff()
    push(20)
    await becomes('broken off')
    push(3)
    log.restart()
    push(20)
    await becomes('another container')
    await agent.kill()
    push(20)
    log.restart()
    push(10)
    agent = await start()
    await becomes('the agent was killed, and the container began anew meanwhile')
    await cluster.restart()
    push(20)
    await becomes('another API server')
    t.ok(
      log.asked.some(({ sinceMs }) => (sinceMs ?? 0) > 0),
      'from where it was',
    )
  })
})
