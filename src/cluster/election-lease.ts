// The Lease by which the replicas of a directory agree who counts what is counted once in a cluster, written as client-go writes those of
// controllers (k8s.io/client-go/tools/leaderelection/resourcelock), so that `kubectl get lease` shows it.
import { type KubeClient, readJson } from '../kube/client.js'
import { isNotFound, KubeError, unlessNotFound } from '../kube/kube-error.js'
import { labelsOf, leasesPath, microTimeOf } from './leases.js'

export interface Holding {
  /** Identity of the replica that has it; `''`: nobody. */
  readonly holder: string
  /** Since when, as a MicroTime. */
  readonly acquireTime: string
  /** How often another one took it. */
  readonly transitions: number
}

/** As it was read or written. */
export interface ElectionLease extends Holding {
  /** Another one after each write. */
  readonly resourceVersion: string
  readonly metadata: object
}

export interface LeaseStore {
  /** Undefined where there is none. Rejects with a KubeError. */
  read(signal: AbortSignal): Promise<ElectionLease | undefined>
  /** Over what was read, or where there was none. Rejects with an Overtaken where that is no longer so, else with a KubeError. */
  write(holding: Holding, over: ElectionLease | undefined, signal: AbortSignal): Promise<ElectionLease>
}

/** Somebody else wrote or removed it since it was read. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/** No Node's, whatever that is called: theirs are `meshtoll-NODE`. */
export const ELECTION_LEASE = 'meshtoll.directory-leader'
const CONFLICT = 409

export interface LeaseStoreParts {
  readonly client: KubeClient
  readonly namespace: string
  /** For who waits for it to expire; only for people, since each of us knows it. */
  readonly durationSeconds: number
  /** Milliseconds since 1970. */
  now(): number
}

export function createLeaseStore({ client, namespace, durationSeconds, now }: LeaseStoreParts): LeaseStore {
  const collection = leasesPath(namespace)
  const path = `${collection}/${ELECTION_LEASE}`

  const objectOf = ({ holder, acquireTime, transitions }: Holding, metadata: object): object => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: {
      ...(holder === '' ? {} : { holderIdentity: holder }),
      leaseDurationSeconds: durationSeconds,
      acquireTime,
      renewTime: microTimeOf(now()),
      leaseTransitions: transitions,
    },
  })

  return {
    async read(signal) {
      const raw = await readJson(client, path, { signal }).catch(unlessNotFound)
      return raw === undefined ? undefined : electionLeaseOf(raw)
    },
    async write(holding, over, signal) {
      const body = objectOf(holding, over?.metadata ?? { name: ELECTION_LEASE, labels: labelsOf('directory') })
      try {
        return electionLeaseOf(await readJson(client, over ? path : collection, { method: over ? 'PUT' : 'POST', body, signal }))
      } catch (error) {
        const isOvertaken = (error instanceof KubeError && error.status === CONFLICT) || (over && isNotFound(error))
        if (isOvertaken) throw new Overtaken((error as Error).message, { cause: error })
        throw error
      }
    },
  }
}

interface RawLease {
  readonly metadata?: { readonly resourceVersion?: unknown }
  readonly spec?: { readonly holderIdentity?: unknown; readonly acquireTime?: unknown; readonly leaseTransitions?: unknown }
}

/** What others may have written into it is taken for nothing. */
function electionLeaseOf(raw: unknown): ElectionLease {
  const { metadata = {}, spec = {} } = (raw ?? {}) as RawLease
  const { holderIdentity, acquireTime, leaseTransitions } = spec
  return Object.freeze({
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    acquireTime: typeof acquireTime === 'string' ? acquireTime : microTimeOf(0),
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    resourceVersion: String(metadata.resourceVersion),
    metadata,
  })
}
