// Which proxies an agent would find on this node, and which of them answer it.
import { proxiesOf, usesEnvoy } from '../../agent/envoy.js'
import type { Config } from '../../config/fields.js'
import type { Deps } from '../../deps.js'
import { createOwnPods } from '../../identity/own-pods.js'
import { parseStats } from '../../sources/envoy/stats.js'
import { type Asked, askAll, findAnswers, isBlocked } from './asking.js'
import { type Finding, ok, warn } from './finding.js'
import { type OwnPodsHere, readPods } from './pods.js'

interface Surroundings extends OwnPodsHere {
  /** Whether an agent would follow pods. */
  readonly followsPods: boolean
}

type ProbeDeps = Pick<Deps, 'clock' | 'readFile'>

const MAX_BYTES = 8 << 20

/** Undefined where an agent would ask none. */
export async function probeEnvoy(
  { config, environment, followsPods }: Surroundings,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<Asked | { readonly message: string } | undefined> {
  const none = createOwnPods(config.node.name)
  if (!usesEnvoy(config, followsPods ? none : undefined)) return undefined
  try {
    const pods = followsPods ? await readPods({ config, environment }, deps, signal) : none
    return await askAll(proxiesOf(config, pods), { maxBytes: MAX_BYTES, parse: parseStats }, deps, signal)
  } catch (error) {
    return { message: (error as Error).message }
  }
}

interface Found {
  readonly envoy: Asked | { readonly message: string } | undefined
  readonly config: Config
}

export function findEnvoy({ envoy, config: { envoy: options } }: Found): Finding[] {
  if (options.enabled === false) return [ok('not asked (envoy.enabled: false)')]
  if (!envoy) return [ok('not asked: no pods are followed, and envoy.targets names none')]
  if ('message' in envoy) return [warn(`proxies of this node cannot be found: ${envoy.message}`)]
  if (envoy.targets === 0) return [ok('no Istio proxies on this node')]
  return [findAnswers(envoy, { name: ['proxy', 'proxies'], isWanted: options.enabled === true, remedyOf })]
}

function remedyOf(reason: string): string | undefined {
  if (reason === 'it answers 403') return 'port 15090 is for localhost alone: take METRICS_LOCALHOST_ACCESS_ONLY out of the proxyMetadata'
  return isBlocked(reason) ? 'let the NetworkPolicies of the namespace pass the agent to port 15090' : undefined
}
