// Which proxies an agent would find on this node, and which of them answer it.
import { proxiesOf, usesEnvoy } from '../../agent/envoy.js'
import type { Config } from '../../config/fields.js'
import type { Deps } from '../../deps.js'
import { createOwnPods } from '../../identity/own-pods.js'
import { parseStats } from '../../sources/envoy/stats.js'
import { createHttpGet } from '../../sources/http-get.js'
import { placeOf, type Target } from '../../sources/scraping.js'
import { createSlots } from '../../sources/slots.js'
import { type Finding, fail, ok, warn } from './finding.js'
import { type OwnPodsHere, readPods } from './pods.js'

export interface EnvoyFacts {
  readonly proxies: number
  /** One for each that did not answer. */
  readonly silent: readonly { readonly place: string; readonly reason: string }[]
}

interface Surroundings extends OwnPodsHere {
  /** Whether an agent would follow pods. */
  readonly followsPods: boolean
}

type ProbeDeps = Pick<Deps, 'clock' | 'readFile'>

const ANSWERS_WITHIN_MS = 3_000
const MAX_BYTES = 8 << 20
const AT_ONCE = 32

/** Undefined where an agent would ask none. */
export async function probeEnvoy(
  { config, environment, followsPods }: Surroundings,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<EnvoyFacts | { readonly message: string } | undefined> {
  const none = createOwnPods(config.node.name)
  if (!usesEnvoy(config, followsPods ? none : undefined)) return undefined
  try {
    const pods = followsPods ? await readPods({ config, environment }, deps, signal) : none
    return await askAll(proxiesOf(config, pods), deps, signal)
  } catch (error) {
    return { message: (error as Error).message }
  }
}

async function askAll(targets: readonly Target[], deps: ProbeDeps, signal: AbortSignal): Promise<EnvoyFacts> {
  const http = createHttpGet({ deadlineMs: ANSWERS_WITHIN_MS, maxBytes: MAX_BYTES }, deps)
  const slots = createSlots(AT_ONCE)
  const silent: { place: string; reason: string }[] = []
  const askOne = async (target: Target): Promise<void> => {
    const { url } = target
    if (url === undefined) return void silent.push({ place: target.pod?.name ?? target.name, reason: 'it has no address yet' })
    await http
      .get(url, signal)
      .then(parseStats)
      .catch((error: Error) => void silent.push({ place: placeOf(target), reason: error.message }))
  }
  try {
    await Promise.all(targets.map((target) => slots(() => askOne(target))))
  } finally {
    await http.close()
  }
  return { proxies: targets.length, silent }
}

interface Found {
  readonly envoy: EnvoyFacts | { readonly message: string } | undefined
  readonly config: Config
}

export function findEnvoy({ envoy, config: { envoy: options } }: Found): Finding[] {
  if (options.enabled === false) return [ok('not asked (envoy.enabled: false)')]
  if (!envoy) return [ok('not asked: no pods are followed, and envoy.targets names none')]
  if ('message' in envoy) return [warn(`proxies of this node cannot be found: ${envoy.message}`)]
  const { proxies, silent } = envoy
  if (proxies === 0) return [ok('no Istio proxies on this node')]
  const count = `${proxies} ${proxies === 1 ? 'proxy' : 'proxies'}`
  const [first] = silent
  if (!first) return [ok(`${count}, ${proxies === 1 ? 'it answers' : 'all answer'}`)]
  const level = silent.length === proxies && options.enabled === true ? fail : warn
  const reasons = [...new Set(silent.map(({ reason }) => reason))]
  return [
    level(
      `${count}, ${proxies - silent.length} of them ${proxies - silent.length === 1 ? 'answers' : 'answer'}, not ${first.place}: ${first.reason}`,
      ...reasons.flatMap((reason) => remedyOf(reason) ?? []),
    ),
  ]
}

function remedyOf(reason: string): string | undefined {
  if (reason === 'it answers 403') return 'port 15090 is for localhost alone: take METRICS_LOCALHOST_ACCESS_ONLY out of the proxyMetadata'
  const isBlocked = reason.startsWith('it does not answer') || reason.includes('connected')
  return isBlocked ? 'let the NetworkPolicies of the namespace pass the agent to port 15090' : undefined
}
