// All that the directory asks of an API server.
import { type Connection, type ConnectionDeps, type ConnectionOptions, connect } from '../cluster/connection.js'
import { createLeaseStore, type LeaseStore } from '../cluster/election-lease.js'
import { createFollowing, type Following } from '../cluster/following.js'
import { readJson } from '../kube/client.js'
import { LEASE_MS } from './election.js'
import type { FollowSlices } from './endpoints/endpoints.js'
import { ENDPOINT_SLICES, SERVICE_LABEL, sliceFactsOf } from './endpoints/slice.js'

export interface ApiServer extends Omit<Connection, 'client' | 'createClient'> {
  /** The user whose token it is, for our audience; '' where it is none. Rejects with a KubeError. */
  review(token: string, signal: AbortSignal): Promise<string>
  readonly lease: LeaseStore
  /** Of all Services. */
  readonly followSlices: FollowSlices
  /** Of these alone. */
  readonly slices: Pick<Following, 'trouble' | 'takeRejected'>
}

export type OpenApiServer = (options: ConnectionOptions, deps: ConnectionDeps, signal: AbortSignal) => Promise<ApiServer>

const AUDIENCE = 'meshtoll'
const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews'

/** Rejects with an AccessError that says what to do. */
export const openApiServer: OpenApiServer = async (options, deps, signal) => {
  const { client, createClient, ...connection } = await connect(options, deps, signal)
  const slices = createFollowing(client, deps)
  const { namespace } = connection
  // A thousand agents that come at once have their tokens reviewed by the other one.
  const electing = createClient()
  const query = { labelSelector: SERVICE_LABEL }
  return {
    ...connection,
    lease: createLeaseStore({ client: electing, namespace, durationSeconds: LEASE_MS / 1_000, now: deps.clock.now }),
    followSlices: ({ share, ...into }, until) =>
      slices.follow({ path: ENDPOINT_SLICES, query, prune: (raw) => sliceFactsOf(raw, share), ...into }, until),
    slices,
    async close() {
      await Promise.all([electing.close(), connection.close()])
    },
    async review(token, until) {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [AUDIENCE] } }
      return reviewedUserOf(await readJson(client, REVIEWS, { method: 'POST', body, signal: until }))
    },
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
