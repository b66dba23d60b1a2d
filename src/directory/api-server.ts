// All that the directory asks of an API server.
import { createResolveHost } from '../cluster/dns.js'
import { createFollowing } from '../cluster/following.js'
import { type CoverageLease, coverageLeaseOf, LEASE_SELECTOR, leasesPath } from '../cluster/leases.js'
import { followCluster } from '../cluster/objects.js'
import type { Deps } from '../deps.js'
import type { Tenancies } from '../identity/tenancies.js'
import { readAccess } from '../kube/access.js'
import { createKubeClient, readJson } from '../kube/client.js'

export interface ApiServerOptions {
  readonly kubeconfig: string | null
  readonly environment: Readonly<Record<string, string | undefined>>
}

export type ApiServerDeps = Pick<Deps, 'clock' | 'log' | 'random' | 'readFile'>

export interface Leases {
  put(key: string, lease: CoverageLease): void
  remove(key: string): void
}

export interface ApiServer {
  /** Our own. */
  readonly namespace: string
  /** The user whose token it is, for our audience; '' where it is none. Rejects with a KubeError. */
  review(token: string, signal: AbortSignal): Promise<string>
  /** Both resolve once all there is has been told, and go on until aborted. */
  followObjects(tenancies: Tenancies, options: { readonly patienceMs: number }, signal: AbortSignal): Promise<void>
  followLeases(leases: Leases, signal: AbortSignal): Promise<void>
  /** What stands in the way of hearing of changes at once; '' when nothing does. */
  readonly trouble: string
  takeRejected(): number
  close(): Promise<void>
}

export type OpenApiServer = (options: ApiServerOptions, deps: ApiServerDeps, signal: AbortSignal) => Promise<ApiServer>

const AUDIENCE = 'meshtoll'
const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews'

/** Rejects with an AccessError that says what to do. */
export const openApiServer: OpenApiServer = async ({ environment, kubeconfig }, deps, signal) => {
  const { namespace, ...access } = await readAccess({ environment, kubeconfig: kubeconfig ?? undefined }, deps, signal)
  const client = createKubeClient(access, deps)
  const following = createFollowing(client, deps)
  return {
    namespace,
    async review(token, until) {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [AUDIENCE] } }
      return reviewedUserOf(await readJson(client, REVIEWS, { method: 'POST', body, signal: until }))
    },
    followObjects: (tenancies, { patienceMs }, until) =>
      followCluster({ client, following, tenancies, patienceMs, resolve: createResolveHost() }, deps, until),
    followLeases: (leases, until) =>
      following.follow(
        {
          path: leasesPath(namespace),
          query: { labelSelector: LEASE_SELECTOR },
          prune: coverageLeaseOf,
          put: leases.put,
          remove: leases.remove,
        },
        until,
      ),
    get trouble() {
      return following.trouble
    },
    takeRejected: following.takeRejected,
    close: () => client.close(),
  }
}

/** An authenticator that knows of no audiences names none: then the token may be one for anybody, and is none for us. */
export function reviewedUserOf(review: unknown): string {
  const { status } = (review ?? {}) as { readonly status?: { readonly [field: string]: unknown } }
  const { authenticated, audiences, user } = status ?? {}
  const isOurs = authenticated === true && Array.isArray(audiences) && audiences.includes(AUDIENCE)
  const { username } = (user ?? {}) as { readonly username?: unknown }
  return isOurs && typeof username === 'string' ? username : ''
}
