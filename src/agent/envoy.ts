// The proxies of this node as a source: whether they are asked, who they are, and where they answer.
import type { Config } from '../config/fields.js'
import type { Deps } from '../deps.js'
import type { OwnPods } from '../identity/own-pods.js'
import type { Source } from '../model.js'
import type { LogTarget } from '../sources/container-logs/following.js'
import { NOTHING_OF_ENVOY } from '../sources/envoy/agent-stats.js'
import { createEnvoy } from '../sources/envoy/source.js'
import { FILTER } from '../sources/envoy/stats.js'
import { createEnvoyLog } from '../sources/envoy-log/source.js'
import type { Target } from '../sources/scraping.js'
import { openHttpGet } from './http-get.js'
import { configuredTargets, isAsked, logTargets, targetsOf } from './targets.js'

const ENVOY_PORT = 15090
const AGENT_PORT = 15020
const PATH = '/stats/prometheus'
const CONTAINER = 'istio-proxy'
const DEADLINE_MS = 3_000
/** Of an Envoy or an application that says a lot; one proxy in a thousand Services says a tenth. */
const MAX_BYTES = 8 << 20

type Pods = Pick<OwnPods, 'live'>

export const usesEnvoy = ({ envoy }: Pick<Config, 'envoy'>, pods: Pods | undefined): boolean => isAsked(envoy, pods)

export function createEnvoySource({ envoy }: Pick<Config, 'envoy'>, pods: Pods | undefined, deps: Pick<Deps, 'clock' | 'log'>): Source {
  const { intervalMs, agentIntervalMs } = envoy
  const [proxies, agents] = [configuredProxies(envoy), configuredAgents(envoy)]
  return createEnvoy(
    {
      intervalMs,
      agentIntervalMs,
      targets: () => [...proxies, ...podsAt(pods, ENVOY_PORT, FILTER)],
      agents: () => [...agents, ...podsAt(pods, AGENT_PORT, NOTHING_OF_ENVOY)],
      open: () => openHttpGet({ deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES }, deps),
    },
    deps,
  )
}

/** As long as it takes until the kernel has told of an address, and the directory or the API server of who had it; no longer than some seconds. */
const MAX_SETTLE_MS = 30_000
const TOLD_WITHIN_MS = 5_000

export const readsAccessLogs = (config: Pick<Config, 'envoy'>, pods: Pods | undefined): boolean =>
  usesEnvoy(config, pods) && config.envoy.accessLog !== 'off'

export function createAccessLogSource(
  { envoy, flows }: Pick<Config, 'envoy' | 'flows'>,
  pods: Pods | undefined,
  deps: Pick<Deps, 'clock' | 'log' | 'growingFiles'>,
): Source {
  const settleMs = Math.min(flows.intervalMs + TOLD_WITHIN_MS, MAX_SETTLE_MS)
  return createEnvoyLog({ logs: () => accessLogsOf(envoy, pods), settleMs }, deps)
}

export const accessLogsOf = ({ targets }: Targets, pods: Pods | undefined): Iterable<LogTarget> =>
  logTargets({ named: targets.map((target) => ({ ...target, log: target.accessLog })), pods, role: 'proxy', container: CONTAINER })

export const proxiesOf = ({ envoy }: Pick<Config, 'envoy'>, pods: Pods | undefined): readonly Target[] => [
  ...configuredProxies(envoy),
  ...podsAt(pods, ENVOY_PORT, FILTER),
]

type Targets = Pick<Config['envoy'], 'targets'>

const configuredProxies = ({ targets }: Targets): readonly Target[] =>
  configuredTargets(targets.map((target) => ({ ...target, url: filtered(target.url, FILTER) })))

function configuredAgents({ targets }: Targets): readonly Target[] {
  const named = targets.filter(({ agentUrl }) => agentUrl !== '')
  return configuredTargets(named.map((target) => ({ ...target, url: filtered(target.agentUrl, NOTHING_OF_ENVOY) })))
}

const podsAt = (pods: Pods | undefined, port: number, filter: string): Iterable<Target> =>
  pods ? targetsOf(pods, 'proxy', (host) => filtered(`http://${host}:${port}${PATH}`, filter)) : []

/** Whoever configures another filter shall have it. */
function filtered(url: string, filter: string): string {
  const { searchParams } = new URL(url)
  return searchParams.has('filter') ? url : `${url}${searchParams.size > 0 ? '&' : '?'}filter=${encodeURIComponent(filter)}`
}
