// What Kubernetes says, in the background: followed from the API server, gathered here, and taken in the agent's turn, so that nobody becomes
// somebody else in the middle of a reading.
import type { ConnectionDeps, ConnectionOptions } from '../cluster/connection.js'
import { leaseNameOf } from '../cluster/leases.js'
import type { Config } from '../config/fields.js'
import { untilAborted, within } from '../deadline.js'
import type { Disk } from '../deps.js'
import type { ClusterNames } from '../identity/cluster-names.js'
import { doubtOf } from '../identity/doubt.js'
import type { ChangingIdentity } from '../identity/identity.js'
import type { NodeFacts } from '../identity/objects/node.js'
import { createOwnPods, heardBy, type OwnPods } from '../identity/own-pods.js'
import { createTenancies } from '../identity/tenancies.js'
import type { LeftOff, Readings } from '../model.js'
import type { ApiServer } from './api-server.js'
import type { Behind } from './behind.js'
import { claim } from './claim.js'
import { createCoverageRecord } from './coverage-record.js'
import { every } from './every.js'
import { createNews } from './news.js'
import { createOwnNode } from './own-node.js'
import { createDirectoryTeller, createDirectTeller, createOwnTeller, type Past, type Teller } from './teller.js'

export interface ClusterParts {
  readonly config: Pick<Config, 'node' | 'identity' | 'kubernetes'>
  /** Otherwise who has which address elsewhere is of no interest. */
  readonly countsFlows: boolean
  readonly environment: ConnectionOptions['environment']
  readonly identity: Pick<ChangingIdentity, 'update'>
  readonly names: Pick<ClusterNames, 'isUsed' | 'hasEnded' | 'used' | 'resume'>
  readonly behind: Pick<Behind, 'look'>
  /** Whether the kernel counts what this node's pods send: who does not must not say so. */
  readonly isCounting: () => boolean
  /** Of all interfaces of this machine; may throw where the kernel cannot be asked. */
  readonly addresses: () => readonly string[]
}

export type ClusterDeps = ConnectionDeps & { readonly disk: Disk }

/** Read like a source, so that it shows when the API server cannot be heard; what was known before stays in force. */
export interface Cluster {
  readonly name: string
  /**
   * Begins to follow, until aborted, and waits until all there is was told, but not for long. Rejects where there is no access to an API
   * server that the configuration asks for. `before`: since then nothing was heard.
   */
  begin(signal: AbortSignal, before?: LeftOff): Promise<void>
  /** Hands on what was told since the last time, and rejects with what stands in the way of hearing more. */
  read(): Promise<Readings>
  /** Whether something was told that may not wait for the next reading. */
  hasUrgentNews(): boolean
  /** From the next reading on this node no longer posts what its pods send. */
  retire(): Promise<void>
  /** And all others hear that they may. */
  withdraw(signal: AbortSignal): Promise<void>
  /** Whether no agent comes to this node after this one, since what runs it is gone. Rejects where that cannot be known. */
  isLast(signal: AbortSignal): Promise<boolean>
  readonly pods: OwnPods
  /** Undefined until it was told. */
  readonly ownNode: NodeFacts | undefined
}

/** Then others would go on as if this node's agent posted what its pods send. */
class NotWithdrawn extends Error {
  constructor(node: string, cause: Error) {
    super(`the kernel table stays: the Lease ${leaseNameOf(node)} could not be deleted (${cause.message}); try again`, { cause })
    this.name = 'NotWithdrawn'
  }
}

/** A cluster of 5,000 pods tells of itself in less. */
const SETTLE_MS = 5_000
/** A change takes this long at most to come to all agents that hear anything, and to be acted on. */
const HEARD_WITHIN_MS = 3_000
const ATTEND_EVERY_MS = 500
const LONGEST_WAIT_MS = 30_000

/** Auto: in a pod, which is told where its API server is, and where a kubeconfig is named. */
export function usesCluster({ kubernetes }: Pick<Config, 'kubernetes'>, environment: ClusterParts['environment']): boolean {
  const { enabled, kubeconfig } = kubernetes
  return enabled === 'auto' ? kubeconfig !== null || (environment.KUBERNETES_SERVICE_HOST ?? '') !== '' : enabled
}

export function createCluster(parts: ClusterParts, deps: ClusterDeps): Cluster {
  const { config, countsFlows, environment, identity, names, behind, isCounting } = parts
  const { clock, log } = deps
  const { node, kubernetes } = config
  const { patienceMs, handoverMs, skewMs } = config.identity
  const pods = createOwnPods(node.name)
  const tenancies = heardBy(pods, createTenancies())
  const self = createOwnNode(parts.addresses, { patienceMs, monotonic: clock.monotonic })
  const record = createCoverageRecord({ node: node.name, handoverMs, patienceMs }, deps)
  const news = createNews({ node, identity, names, self, record, isCounting, teller: () => teller }, deps)
  let life: AbortSignal | undefined
  let leftOff: LeftOff | undefined
  let api: ApiServer | undefined
  let teller: Teller | undefined
  /** By what is attended to. */
  const troubles = new Map<string, string>()

  async function openApi(signal: AbortSignal): Promise<ApiServer> {
    const { openApiServer } = await import('./api-server.js')
    return openApiServer({ kubeconfig: kubernetes.kubeconfig, environment }, deps, signal)
  }

  /** By a connection of its own: those that follow end with `life`. */
  async function withApi<T>(signal: AbortSignal, use: (opened: ApiServer) => Promise<T>): Promise<T> {
    const opened = await openApi(signal)
    try {
      return await use(opened)
    } finally {
      await opened.close()
    }
  }

  /** By this node's clock, as its bytes are. What the process before heard is written down, or not known either. */
  const past = (): Past => ({
    leftOff,
    unheard: () => ({ fromMs: 0, toMs: clock.now() - skewMs }),
    goneByMs: () => clock.now() + skewMs + doubtOf(clock),
  })

  async function createTeller(opened: ApiServer, signal: AbortSignal): Promise<Teller> {
    const tellerParts = { node: node.name, patienceMs, api: opened, tenancies, record, past: past() }
    const { directory } = kubernetes
    if (!countsFlows) return createOwnTeller(tellerParts, signal)
    if (directory.url === null) return createDirectTeller(tellerParts, signal)
    const { createDirectoryWatch } = await import('./directory-watch.js')
    return createDirectoryTeller(tellerParts, await createDirectoryWatch({ node: node.name, directory, leftOff }, deps, signal), signal)
  }

  async function open(signal: AbortSignal): Promise<void> {
    life = signal
    if (teller) return
    await record.load(leftOff?.readAtMs)
    const opened = await openApi(signal)
    const begun = await createTeller(opened, signal)
    api = opened
    teller = begun
    signal.addEventListener('abort', () => void opened.close().catch(() => undefined), { once: true })
    void clock.pulse?.run(signal)
    const claiming = attend('claim', () => claimSelf(opened, begun, signal), signal)
    // Whatever stands in the way of the one says nothing of the other.
    const asking = attend('ask', () => begun.ask(names.used).then(() => 0), signal)
    // With a directory its leader does it.
    const ending = countsFlows && kubernetes.directory.url === null ? opened.endAbandonedLeases(isCounting, signal) : Promise.resolve()
    for (const background of [begun.allTold, claiming, asking, ending])
      background.catch((error: unknown) => log.debug('the cluster is no longer followed', { error: String(error) }))
  }

  /** Sees to it that all others know of this node. Resolves with how long it is not to be looked at again. */
  async function claimSelf(opened: ApiServer, asked: Teller, signal: AbortSignal): Promise<number> {
    await asked.lookAtSelf()
    return (await claim({ api: opened, record, node: asked.ownNode, isCounting }, signal)) ? HEARD_WITHIN_MS : 0
  }

  /** Until aborted; what fails is tried again later and later. */
  function attend(name: string, task: () => Promise<number>, signal: AbortSignal): Promise<void> {
    let failures = 0
    return every(clock, { ms: ATTEND_EVERY_MS, signal }, async () => {
      const waitMs = await task().then(
        (ms) => {
          troubles.delete(name)
          failures = 0
          return ms
        },
        (error: Error) => {
          troubles.set(name, error.message)
          return Math.min(LONGEST_WAIT_MS, ATTEND_EVERY_MS * 2 ** failures++)
        },
      )
      if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined)
    })
  }

  return {
    name: 'kubernetes',
    pods,
    get ownNode() {
      return teller?.ownNode
    },
    async begin(signal, before) {
      leftOff = before
      if (leftOff) names.resume(leftOff)
      await open(signal).catch((error: unknown) => {
        if (config.kubernetes.enabled === true || config.kubernetes.kubeconfig !== null) throw error
      })
      const allTold = Promise.resolve(teller?.allTold)
      await within(clock, { ms: SETTLE_MS, signal }, (limited) => untilAborted(allTold, limited)).catch(() => undefined)
    },
    async read() {
      behind.look()
      const refused = await open(life as AbortSignal).then(
        () => undefined,
        (error: unknown) => error,
      )
      await news.handOn()
      if (refused) throw refused
      const [attended = ''] = troubles.values()
      const trouble = teller?.trouble || (isCounting() ? self.trouble : '') || attended
      if (trouble) throw new Error(trouble)
      return { readings: [], rejected: api?.following.takeRejected() ?? 0 }
    },
    hasUrgentNews() {
      return news.isUrgent
    },
    retire: record.retire,
    async withdraw(signal) {
      try {
        await withApi(signal, (opened) => opened.deleteLease(node.name, signal))
        await clock.sleep(HEARD_WITHIN_MS, signal)
      } catch (error) {
        throw new NotWithdrawn(node.name, error as Error)
      }
    },
    async isLast(signal) {
      const { POD_NAME: name, POD_NAMESPACE: namespace } = environment
      if (!name || !namespace) return false
      return (await withApi(signal, (opened) => opened.readWorkload({ name, namespace }, signal))) === 'gone'
    },
  }
}
