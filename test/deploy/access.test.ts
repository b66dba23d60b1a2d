// The rules of the chart are enough for an agent, and none is too much: without any one verb it says which rule it lacks.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { openApiServer } from '../../src/agent/api-server.js'
import { createCoverageRecord } from '../../src/agent/coverage-record.js'
import { createTenancies } from '../../src/identity/tenancies.js'
import { renderRule } from '../../src/kube/rbac.js'
import { allow, createServiceAccount, createToken, type Rule } from '../cluster/access.js'
import type { Cluster } from '../cluster/cluster.js'
import { writeKubeconfig } from '../cluster/kubeconfig.js'
import { createJob, createNamespace, createNode, createReplicaSet, createRunningPod } from '../cluster/objects.js'
import { create, ownerOf } from '../cluster/resource.js'
import { clusterTest } from '../cluster/suite.js'
import { createKeptLog } from '../kube/kept-log.js'
import { readAgentAccess } from './access.js'

const WITHIN_MS = 30_000
const EVERY_MS = 50
/** Waits of the agent are a tenth of what they are. */
const CLOCK = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms / 10, undefined, signal && { signal }),
}
const NO_DISK = { read: async () => undefined, replace: async () => undefined }

interface Heard {
  /** Everything that went wrong, in the agent's words. */
  text(): string
  /** Whether everything an agent does was done. */
  isDone(): boolean
}

/** Does all that an agent asks of an API server, as whoever the kubeconfig says, on a node of its own. */
async function actAsAgent(t: Test, { admin }: Cluster, { node, kubeconfig }: { readonly node: string; readonly kubeconfig: string }) {
  const { uid } = (await createNode(admin, { name: node, zone: 'a', addresses: ['10.0.0.1'] })).metadata
  const stopping = new AbortController()
  const { signal } = stopping
  const log = createKeptLog()
  const deps = { clock: CLOCK, log, random: randomUUID, readFile: (path: string) => readFile(path, 'utf8') }
  const api = await openApiServer({ kubeconfig, environment: {} }, deps, signal)
  t.teardown(async () => {
    stopping.abort()
    await api.close()
  })
  const tenancies = createTenancies()
  const record = createCoverageRecord({ node, handoverMs: 0, patienceMs: 1_000 }, { clock: CLOCK, disk: NO_DISK })
  const failures: string[] = []
  const named = new Set<string>()
  let isDone = false
  const failed = (error: Error): void => void failures.push(error.message)
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await sleep(EVERY_MS, undefined, { signal })
  }
  const ownersNamed = (): boolean => {
    for (const { tenant } of tenancies.take().tenancies) named.add(`${tenant.who.kind} ${tenant.who.name}`)
    return named.has('Deployment cart') && named.has('CronJob backup')
  }
  const use = async (): Promise<void> => {
    await Promise.all([api.followObjects(tenancies, { patienceMs: WITHIN_MS }, signal), api.followLeases(record, signal)])
    await until(ownersNamed)
    await api.createLease({ node, uid }, signal).catch(failed)
    // By a watch.
    await until(() => record.covering?.includes(node) === true)
    await api.deleteLease(node, signal).catch(failed)
    await until(() => record.covering?.includes(node) === false)
    isDone = true
  }
  use().catch((error: Error) => signal.aborted || failed(error))
  return {
    // Fields of the log are JSON.
    text: () => [api.trouble, ...failures, ...log.lines].join('\n').replaceAll('\\"', '"'),
    isDone: () => isDone,
  } satisfies Heard
}

async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  while (!holds() && performance.now() < deadline) await sleep(EVERY_MS)
}

interface Verb {
  readonly group: string
  readonly resource: string
  readonly verb: string
}

const verbsOf = (rules: readonly Rule[]): readonly Verb[] =>
  rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => ({ group, resource, verb })))),
  )

/** One rule a verb, so that one can be left out. */
const rulesWithout = (rules: readonly Rule[], left: Verb): readonly Rule[] =>
  verbsOf(rules)
    .filter(({ group, resource, verb }) => group !== left.group || resource !== left.resource || verb !== left.verb)
    .map(({ group, resource, verb }) => ({ apiGroups: [group], resources: [resource], verbs: [verb] }))

await clusterTest(async (t, cluster) => {
  const { admin } = cluster
  const { account, everywhere, own, objects } = await readAgentAccess()
  const { namespace } = account
  for (const name of [namespace, 'shop']) await createNamespace(admin, name)
  const replicaSet = await createReplicaSet(admin, { namespace: 'shop', name: 'cart-7d9f', deployment: 'cart' })
  const job = await createJob(admin, { namespace: 'shop', name: 'backup-1', cronJob: 'backup' })
  await createRunningPod(admin, { namespace: 'shop', name: 'cart-7d9f-a', node: 'n1', owner: ownerOf(replicaSet), podIps: ['10.1.1.2'] })
  await createRunningPod(admin, { namespace: 'shop', name: 'backup-1-b', node: 'n1', owner: ownerOf(job), podIps: ['10.1.1.3'] })

  const kubeconfigOf = async (name: string): Promise<string> =>
    writeKubeconfig(cluster, { token: await createToken(admin, { namespace, name }), namespace, name: `kubeconfig-${name}` })

  t.test('with the rules of the chart all goes well', async (t) => {
    for (const object of objects) await create(admin, object)
    const heard = await actAsAgent(t, cluster, { node: 'n1', kubeconfig: await kubeconfigOf(account.name) })
    await eventually(heard.isDone)
    t.ok(heard.isDone(), heard.text())
    t.notMatch(heard.text(), /RBAC|error|warn/)
  })

  const verbs = [...verbsOf(everywhere), ...verbsOf(own)]
  t.equal(verbs.length, 12)
  for (const left of verbs) {
    t.test(`without ${left.verb} of ${left.resource}`, async (t) => {
      const name = `without-${left.verb}-${left.resource}`
      const serviceAccount = { namespace, name }
      await createServiceAccount(admin, serviceAccount)
      await allow(admin, { name, rules: rulesWithout(everywhere, left), serviceAccount })
      await allow(admin, { name, namespace, rules: rulesWithout(own, left), serviceAccount })
      const heard = await actAsAgent(t, cluster, { node: name, kubeconfig: await kubeconfigOf(name) })
      const remedy = `allow it with the RBAC rule ${renderRule(left)}`
      await eventually(() => heard.text().includes(remedy))
      t.match(heard.text(), remedy)
    })
  }
})
