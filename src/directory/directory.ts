// The cluster directory: follows the API server once for all agents, and tells each of the addresses that it has seen.
import type { ConnectionOptions } from '../cluster/connection.js'
import type { Config } from '../config/fields.js'
import { createNowhere } from '../datadog/nowhere.js'
import { createDatadog, type Datadog } from '../datadog/push.js'
import type { Deps } from '../deps.js'
import type { Routes } from '../http/router.js'
import { withPulse } from '../pulse.js'
import { createSetClock } from '../set-clock.js'
import type { ApiServer, OpenApiServer } from './api-server.js'
import { createDesk } from './desk.js'
import { createElection } from './election.js'
import { createEndpoints } from './endpoints/endpoints.js'
import { createDirectoryFamilies, createDirectoryMetrics, type DirectoryFamilies } from './metrics.js'
import { createDirectoryRoutes } from './routes.js'
import { createWhoAsks } from './who-asks.js'

export interface DirectoryParts {
  readonly config: Pick<Config, 'kubernetes' | 'identity' | 'directory' | 'series' | 'datadog'>
  readonly hostName: string
  readonly environment: ConnectionOptions['environment']
  readonly version: string
  readonly nodeVersion: string
  readonly openApiServer: OpenApiServer
}

export type DirectoryDeps = Pick<Deps, 'clock' | 'log' | 'random' | 'readFile'> & {
  readonly cpuUsage: () => { readonly user: number; readonly system: number }
}

export interface Directory {
  readonly routes: Routes
  /** Follows and tells until aborted; then the answers of all who listen are ended. */
  run(): Promise<void>
}

const STOP_WITHIN_MS = 1_500
/** Changes of this time are told together. */
const TELL_EVERY_MS = 50
const NOT_YET = 'the API server has not told all of it yet'

/** Rejects where there is no access to an API server, with an AccessError that says what to do. */
export async function openDirectory(parts: DirectoryParts, given: DirectoryDeps, signal: AbortSignal): Promise<Directory> {
  const deps = { ...given, clock: withPulse(createSetClock(given.clock), given.log) }
  const { config, environment, hostName, version, nodeVersion } = parts
  const { clock, log, random, cpuUsage } = deps
  const { monotonic } = clock
  const api = await parts.openApiServer({ kubeconfig: config.kubernetes.kubeconfig, environment }, deps, signal)
  const desk = createDesk({ ...deps, isHearing })
  const { sessions, book, tenancies, leases } = desk
  const review = (token: string): Promise<string> => api.review(token, signal)
  const endpoints = createEndpoints({ follow: api.followSlices, share: desk.shareUid, series: config.series }, deps)
  const election = createElection({ identity: `${hostName}_${random()}`, store: api.lease, term: endpoints.term }, deps)
  const families = createDirectoryFamilies({
    desk,
    following: api.following,
    slices: api.slices,
    election,
    endpoints,
    version,
    nodeVersion,
    cpuUsage,
  })
  const datadog = createPush(parts, { families, deps })
  await datadog?.load()
  /** Aborted when the last window for Datadog is taken: what only the one with the Lease counts is in it. */
  const hasPushed = new AbortController()
  let isAllTold = false
  let isReady = false

  /** Not while it may only seem so, since nothing was read for a while. */
  function isHearing(): boolean {
    clock.pulse.look()
    return api.following.trouble === ''
  }

  async function tellAll(): Promise<void> {
    desk.takeChanges()
    desk.forget()
    await sessions.tell(() => clock.sleep(0))
  }

  /** Who knows all pods, and by that their restarts so far, may count further ones. */
  async function follow(): Promise<void> {
    const { patienceMs } = config.identity
    const objects = api.followObjects(tenancies, { patienceMs, restarts: endpoints.restarts }, signal)
    try {
      await Promise.all([objects, api.followLeases(leases, signal)])
    } catch (error) {
      return log.debug('the API server is no longer followed', { error: String(error) })
    }
    isAllTold = true
    await Promise.all([election.run(datadog ? hasPushed.signal : signal), api.endAbandonedLeases(() => election.holds, signal)])
  }

  async function push(): Promise<void> {
    await datadog?.run(signal)
    await datadog?.finish(AbortSignal.timeout(STOP_WITHIN_MS), 'is lost')
    hasPushed.abort(signal.reason)
  }

  return {
    routes: createDirectoryRoutes({
      whoAsks: createWhoAsks({ agents: agentsOf(config, api), review, monotonic }),
      sessions,
      notReady: () => (isReady ? '' : api.following.trouble || NOT_YET),
      metrics: createDirectoryMetrics(families, { pushed: datadog?.families, created: config.series.created }),
      log,
    }),
    async run() {
      void clock.pulse.run(signal)
      const followed = follow()
      const pushed = push()
      while (!signal.aborted) {
        // What was told last is taken in first.
        const willBeReady = isAllTold
        await tellAll()
        if (willBeReady && !isReady) desk.beginsToHear()
        if (willBeReady && !isReady) log.info('all is known, agents are answered', { addresses: book.known, nodes: tenancies.nodes.size })
        isReady ||= willBeReady
        await clock.sleep(TELL_EVERY_MS, signal).catch(() => undefined)
      }
      sessions.close()
      await Promise.all([pushed, followed])
      await api.close().catch(() => undefined)
    },
  }
}

interface PushParts {
  readonly families: DirectoryFamilies
  readonly deps: DirectoryDeps
}

/** As a host of its own, since nodes are those of their agents. What waits is not written down, since what is counted begins anew with each start. */
function createPush({ config, environment, hostName }: DirectoryParts, { families, deps }: PushParts): Datadog | undefined {
  const { hostname } = config.datadog
  return createDatadog(
    {
      config,
      environment,
      host: () => (hostname === 'auto' ? hostName : hostname),
      withGroups: (use) => use({ own: families.served({ zeroFirst: false }), foreign: [] }),
      self: families.self,
    },
    { ...deps, disk: createNowhere() },
  )
}

function agentsOf({ directory }: DirectoryParts['config'], { namespace }: ApiServer): readonly string[] {
  return directory.agents.map((name) => (name.includes('/') ? name : `${namespace}/${name}`))
}
