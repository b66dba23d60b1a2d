// Does all that an agent, or a directory, asks of an API server, as whoever a kubeconfig says.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type ApiServer, openApiServer } from '../../src/agent/api-server.js'
import { type CoverageRecord, createCoverageRecord } from '../../src/agent/coverage-record.js'
import { createKubeletSource } from '../../src/agent/kubelet.js'
import { createAbandoned } from '../../src/cluster/abandoned.js'
import { connect } from '../../src/cluster/connection.js'
import { ELECTION_LEASE, Overtaken } from '../../src/cluster/election-lease.js'
import { ABANDONED_MS, type Claimant, type CoverageLease, coverageLeaseOf, leaseOf, microTimeOf } from '../../src/cluster/leases.js'
import { defaultConfig } from '../../src/config/config.js'
import type { Fields } from '../../src/deps.js'
import { type ApiServer as DirectoryApiServer, openApiServer as openForDirectory } from '../../src/directory/api-server.js'
import { createTenancies, type Tenancies } from '../../src/identity/tenancies.js'
import { createToken } from '../cluster/access.js'
import type { Client, KubeObject } from '../cluster/client.js'
import type { Cluster } from '../cluster/cluster.js'
import { createEndpointSlice, createNode, createPod, createWorkload } from '../cluster/objects.js'
import { create, type NewObject, ownerOf, read, remove } from '../cluster/resource.js'
import { createKeptLog } from '../kube/kept-log.js'
import { startKubelet } from './kubelet.js'

export interface Heard {
  /** Everything that went wrong, in the program's words. */
  text(): string
  /** Whether everything was done. */
  isDone(): boolean
}

/** `name`: of a Node that nobody else has. */
export interface Actor {
  readonly name: string
  readonly kubeconfig: string
  /** Of the agents' ServiceAccount and Leases. */
  readonly account: { readonly namespace: string; readonly name: string }
}

export type Act = (t: Test, cluster: Cluster, actor: Actor) => Heard

/** The Node of the pods that these have to name: of the Deployment cart, and of the CronJob backup. */
export const NODE_OF_PODS = 'n1'
export const SERVICE_OF_PODS = 'cart'
const OF_PODS = ['Deployment cart', 'CronJob backup']
/** Of the whole cluster. */
const OF_ALL = [...OF_PODS, 'ServiceEntry orders', 'WorkloadEntry vm']

export const WITHIN_MS = 30_000
const EVERY_MS = 50
/** Waits of the program are a tenth of what they are. */
const CLOCK = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms / 10, undefined, signal && { signal }),
}
const NO_DISK = { read: async () => undefined, replace: async () => undefined }

export const actAsAgent: Act = (t, cluster, actor) =>
  attempt(t, async (stage) => {
    const { api, claimant, record, tenancies } = await openAgent(cluster, actor, stage)
    const { signal, until, failed } = stage
    await Promise.all([
      api.followObjects(tenancies, { patienceMs: WITHIN_MS }, signal),
      api.followLeases(record, signal).then(record.synced),
    ])
    await until(areNamedIn(tenancies, OF_ALL))
    await api.createLease(claimant, signal).catch(failed)
    // By a watch.
    await until(() => record.covering?.includes(actor.name) === true)
    await api.deleteLease(actor.name, signal).catch(failed)
    await until(() => record.covering?.includes(actor.name) === false)
    await endsAbandoned(cluster, actor, stage)
    await looksBack(api, actor, stage)
    await readKubelet(t, cluster, actor, stage)
  })

/** With a directory it follows the pods of one node, and looks at one Node and one Lease. */
export const actAsAgentWithDirectory: Act = (t, cluster, actor) =>
  attempt(t, async (stage) => {
    const { api, claimant, record, tenancies } = await openAgent(cluster, actor, stage)
    const { signal, until, failed } = stage
    const covers = async (wanted: boolean): Promise<void> => {
      await api.readLease(actor.name, record, signal)
      if (record.covering?.includes(actor.name) !== wanted) throw new Error(`the Lease of ${actor.name} is not what it was made`)
    }
    await api.followPods(NODE_OF_PODS, tenancies, { patienceMs: WITHIN_MS }, signal)
    await until(areNamedIn(tenancies, OF_PODS))
    await api.readNode(NODE_OF_PODS, tenancies, signal).catch(failed)
    await api.createLease(claimant, signal).catch(failed)
    await covers(true)
    await api.deleteLease(actor.name, signal).catch(failed)
    await covers(false)
    await looksBack(api, actor, stage)
    await readKubelet(t, cluster, actor, stage)
  })

/**
 * It counts no flows: the pods of one node, and that Node, are all it asks the API server about. The one before it may have counted them, and
 * leaves by these rules.
 */
export const actAsReducedAgent: Act = (t, cluster, actor) =>
  attempt(t, async (stage) => {
    const { api, tenancies } = await openAgent(cluster, actor, stage)
    const { signal, until, failed } = stage
    await api.followPods(NODE_OF_PODS, tenancies, { patienceMs: WITHIN_MS }, signal)
    await until(areNamedIn(tenancies, OF_PODS))
    await api.readNode(NODE_OF_PODS, tenancies, signal).catch(failed)
    await looksBack(api, actor, stage)
    await api.deleteLease(actor.name, signal).catch(failed)
    await readKubelet(t, cluster, actor, stage)
  })

/** As it does when it is stopped. */
async function looksBack(api: ApiServer, { account }: Actor, { signal, failed }: Stage): Promise<void> {
  const workload = await api.readWorkload({ namespace: account.namespace, name: OWN_POD }, signal).catch(failed)
  if (workload !== undefined && workload !== 'stays') failed(new Error(`the DaemonSet is said to be ${workload}`))
}

const OWN_POD = 'meshtoll-agent-x2x4v'

/** That of an agent, and the DaemonSet that made it. */
export async function createOwnPod(admin: Client, { namespace, name, node }: Actor['account'] & { readonly node: string }): Promise<void> {
  const owner = ownerOf(await createWorkload(admin, { kind: 'DaemonSet', namespace, name }))
  await createPod(admin, { namespace, name: OWN_POD, node, owner })
}

/** The Lease of a node that is not wanted, and has no agent. */
async function endsAbandoned({ admin }: Cluster, { name, kubeconfig, account }: Actor, { deps, signal, opened }: Stage): Promise<void> {
  const { client, namespace } = opened(await connect({ kubeconfig, environment: {} }, deps, signal))
  let nowMs = 0
  const abandoned = createAbandoned({ client, namespace }, { log: deps.log, clock: { ...CLOCK, monotonic: () => nowMs } })
  const { metadata: node } = await createNode(admin, { name: `${name}-off`, taints: [{ key: 'off', effect: 'NoExecute' }] })
  const left = await createLease(admin, namespace, { node: node.name, uid: node.uid, daemonSet: account.name })
  abandoned.leases.put(left.metadata.name, coverageLeaseOf(left) as CoverageLease)
  await abandoned.look(signal)
  nowMs = ABANDONED_MS
  await abandoned.look(signal)
  if (await isThere(admin, left)) throw new Error('the Lease of a node without an agent was not ended')
}

const isThere = (admin: Client, object: KubeObject): Promise<boolean> =>
  read(admin, object).then(
    () => true,
    () => false,
  )

const createLease = (admin: Client, namespace: string, claimant: Claimant): Promise<KubeObject> => {
  const bare = leaseOf(claimant, Date.now()) as NewObject
  return create(admin, { ...bare, metadata: { ...bare.metadata, namespace } })
}

export const actAsDirectory: Act = (t, cluster, actor) =>
  attempt(t, async (stage) => {
    const { admin } = cluster
    const { name, kubeconfig, account } = actor
    const { deps, signal, until, opened } = stage
    const { uid } = (await createNode(admin, { name })).metadata
    const api = opened(await openForDirectory({ kubeconfig, environment: {} }, deps, signal))
    const tenancies = createTenancies()
    const leases = new Map<string, CoverageLease>()
    const record = { put: leases.set.bind(leases), remove: leases.delete.bind(leases) }
    const isCovering = (): boolean => [...leases.values()].some((lease) => lease.node === name)
    const token = await createToken(admin, { ...account, audience: 'meshtoll' })
    await Promise.all([api.followObjects(tenancies, { patienceMs: WITHIN_MS }, signal), api.followLeases(record, signal)])
    await until(areNamedIn(tenancies, OF_ALL))
    const user = await api.review(token, signal)
    if (user !== `system:serviceaccount:${account.namespace}:${account.name}`) throw new Error(`the token is said to be of ${user}`)
    await endsAbandoned(cluster, actor, stage)
    await followOneService(api, admin, signal)
    await holdLease(api, admin, { name, namespace: account.namespace }, signal)
    const lease = await createLease(admin, account.namespace, { node: name, uid })
    await until(isCovering)
    await remove(admin, lease)
    await until(() => !isCovering())
  })

/** A list, and a change by the watch. */
async function followOneService(api: DirectoryApiServer, admin: Cluster['admin'], signal: AbortSignal): Promise<void> {
  const services = new Map<string, string>()
  await api.followSlices(
    { share: (uid) => uid, put: (key, { service }) => void services.set(key, service), remove: services.delete.bind(services) },
    signal,
  )
  if (![...services.values()].includes(SERVICE_OF_PODS)) throw new Error('a slice that is there is not told of')
  const slice = await createEndpointSlice(admin, { namespace: 'shop', service: randomUUID(), endpoints: [] })
  while (!services.has(`shop/${slice.metadata.name}`)) await sleep(EVERY_MS, undefined, { signal })
  await remove(admin, slice)
}

/** Makes it, renews it and lets it go, whoever had it before. */
async function holdLease(
  { lease }: DirectoryApiServer,
  admin: Cluster['admin'],
  { name, namespace }: LeaseOf,
  signal: AbortSignal,
): Promise<void> {
  const left = await lease.read(signal)
  const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: ELECTION_LEASE, namespace } }
  if (left) await remove(admin, object)
  const holding = { holder: name, acquireTime: microTimeOf(Date.now()), transitions: 0 }
  const made = await lease.write(holding, undefined, signal)
  const renewed = await lease.write({ ...holding, transitions: 1 }, made, signal)
  const refused = await lease.write(holding, made, signal).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(refused instanceof Overtaken)) throw new Error('it was written over although it had changed')
  await lease.write({ ...holding, holder: '' }, renewed, signal)
  const found = await lease.read(signal)
  if (found?.holder !== '') throw new Error(`it is of ${found?.holder}, not free`)
}

interface LeaseOf {
  readonly name: string
  readonly namespace: string
}

/** Until then it is tried. */
export async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  while (!holds() && performance.now() < deadline) await sleep(EVERY_MS)
}

interface Followed {
  readonly following: { readonly trouble: string }
  close(): Promise<void>
}

interface Stage {
  readonly deps: Parameters<typeof openApiServer>[1]
  readonly signal: AbortSignal
  until(holds: () => boolean): Promise<void>
  failed(error: Error): void
  /** Closes it in the end, and hears of its trouble. */
  opened<Api extends Followed>(api: Api): Api
}

function attempt(t: Test, use: (stage: Stage) => Promise<void>): Heard {
  const stopping = new AbortController()
  const { signal } = stopping
  const log = createKeptLog()
  const apis: Followed[] = []
  const failures: string[] = []
  let isDone = false
  t.teardown(async () => {
    stopping.abort()
    for (const api of apis) await api.close()
  })
  const stage: Stage = {
    deps: { clock: CLOCK, log, random: randomUUID, readFile: (path) => readFile(path, 'utf8') },
    signal,
    async until(holds) {
      while (!holds()) await sleep(EVERY_MS, undefined, { signal })
    },
    failed: ({ message }) => void failures.push(message),
    opened(api) {
      apis.push(api)
      return api
    },
  }
  use(stage).then(
    () => {
      isDone = true
    },
    (error: Error) => signal.aborted || stage.failed(error),
  )
  return {
    // Fields of the log are JSON.
    text: () => [...apis.map(({ following }) => following.trouble), ...failures, ...log.lines].join('\n').replaceAll('\\"', '"'),
    isDone: () => isDone,
  }
}

interface OpenAgent {
  readonly api: ApiServer
  readonly claimant: { readonly node: string; readonly uid: string }
  readonly record: CoverageRecord
  readonly tenancies: Tenancies
}

async function openAgent({ admin }: Cluster, { name: node, kubeconfig }: Actor, { deps, signal, opened }: Stage): Promise<OpenAgent> {
  const { uid } = (await createNode(admin, { name: node })).metadata
  const api = opened(await openApiServer({ kubeconfig, environment: {} }, deps, signal))
  const record = createCoverageRecord({ node, handoverMs: 0, patienceMs: 1_000 }, { clock: CLOCK, disk: NO_DISK })
  return { api, claimant: { node, uid }, record, tenancies: createTenancies() }
}

/** What it says of a summary that is gone is no trouble, while it may ask for all the rest. */
async function readKubelet(t: Test, { admin }: Cluster, { name, kubeconfig }: Actor, { deps, signal, failed }: Stage): Promise<void> {
  const defaults = defaultConfig(name)
  const tls = { caFile: null, insecureSkipVerify: true }
  const config = {
    kubernetes: { ...defaults.kubernetes, kubeconfig },
    kubelet: { ...defaults.kubelet, url: await startKubelet(t, admin, name), tls },
  }
  const log = {
    ...deps.log,
    warn: (_: string, fields?: Fields) => String(fields?.error).includes('RBAC') && failed(new Error(String(fields?.error))),
  }
  const source = createKubeletSource({ config, environment: {}, cluster: undefined, servesNode: false }, { ...deps, log })
  await source.read(signal).catch(failed)
}

function areNamedIn(tenancies: Tenancies, wanted: readonly string[]): () => boolean {
  const named = new Set<string>()
  return () => {
    for (const { tenant } of tenancies.take().tenancies) named.add(`${tenant.who.kind} ${tenant.who.name}`)
    return wanted.every((one) => named.has(one))
  }
}
