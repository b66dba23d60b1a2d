// Which proxies an agent would find on this node, and which of them answer it.
import { accessLogsOf, proxiesOf, readsAccessLogs, usesEnvoy } from '../../agent/envoy.js'
import type { Config } from '../../config/fields.js'
import type { Deps } from '../../deps.js'
import { createOwnPods } from '../../identity/own-pods.js'
import { readStats } from '../../sources/envoy/stats.js'
import { type Asked, askAll, findAnswers, isBlocked } from './asking.js'
import { type Finding, ok, warn } from './finding.js'
import { type LogFacts, lookAll } from './logs.js'
import { type OwnPodsHere, readPods } from './pods.js'

export interface EnvoyFacts extends Asked {
  /** Undefined where none is to be read. */
  readonly logs: LogFacts | undefined
}

interface Surroundings extends OwnPodsHere {
  /** Whether an agent would follow pods. */
  readonly followsPods: boolean
}

type ProbeDeps = Pick<Deps, 'clock' | 'readFile' | 'growingFiles'>

const MAX_BYTES = 8 << 20

/** Undefined where an agent would ask none. */
export async function probeEnvoy(
  { config, environment, followsPods }: Surroundings,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<EnvoyFacts | { readonly message: string } | undefined> {
  const none = createOwnPods(config.node.name)
  const known = followsPods ? none : undefined
  if (!usesEnvoy(config, known)) return undefined
  try {
    const pods = followsPods ? await readPods({ config, environment }, deps, signal) : none
    const logs = readsAccessLogs(config, known) ? [...accessLogsOf(config.envoy, pods)] : []
    return {
      ...(await askAll(proxiesOf(config, pods), { maxBytes: MAX_BYTES, read: (pieces) => readStats(pieces) }, deps, signal)),
      logs: logs.length === 0 ? undefined : await lookAll(logs, deps, signal),
    }
  } catch (error) {
    return { message: (error as Error).message }
  }
}

interface Found {
  readonly envoy: EnvoyFacts | { readonly message: string } | undefined
  readonly config: Config
}

export function findEnvoy({ envoy, config: { envoy: options } }: Found): Finding[] {
  if (options.enabled === false) return [ok('not asked (envoy.enabled: false)')]
  if (!envoy) return [ok('not asked: no pods are followed, envoy.targets is empty')]
  if ('message' in envoy) return [warn(`proxies of this node cannot be found: ${envoy.message}`)]
  if (envoy.targets === 0) return [ok('no Istio proxies on this node')]
  return [findAnswers(envoy, { name: ['proxy', 'proxies'], isWanted: options.enabled === true, remedyOf }), ...findLogs(envoy)]
}

function findLogs({ logs }: EnvoyFacts): readonly Finding[] {
  if (!logs) return []
  const [first] = logs.unreadable
  if (!first) return [ok(`${logs.readable === 1 ? 'its access log' : 'their access logs'} can be read, where Istio writes any`)]
  return [
    warn(
      `of ${logs.unreadable.length === 1 ? '1 proxy' : `${logs.unreadable.length} proxies`} no failed requests by address: ${first.folder} cannot be read, ${first.reason}`,
      'run as uid 0 with /var/log/pods mounted, as mode full does, or set envoy.accessLog: off',
    ),
  ]
}

function remedyOf(reason: string): string | undefined {
  if (reason === 'nobody listens there')
    return 'where the proxyMetadata has METRICS_LOCALHOST_ACCESS_ONLY, take it out: port 15090 is for localhost alone'
  return isBlocked(reason) ? 'let the NetworkPolicies of the namespace pass the agent to port 15090' : undefined
}
