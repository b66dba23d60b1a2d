// Which istiods an agent would find on this node, which of them answer it, and whether they tell it of their proxies and it may read their logs.
import {
  asksIstiodDebug,
  credentialsOf,
  debugTargetsOf,
  istiodBelief,
  istiodsOf,
  logsOf,
  readsIstiodLog,
  usesIstiod,
} from '../../agent/istiod.js'
import { createPodLogs } from '../../agent/pod-logs.js'
import type { Config } from '../../config/fields.js'
import type { Deps } from '../../deps.js'
import type { OwnPods } from '../../identity/own-pods.js'
import { readIstiodMetrics } from '../../sources/istiod/metrics.js'
import { createAskDebug } from '../../sources/istiod-debug/asking.js'
import type { Target } from '../../sources/scraping.js'
import { type Asked, type AskOne, askAll, beliefIn, findAnswers, findRefused, isBlocked } from './asking.js'
import { type Finding, ok, warn } from './finding.js'
import { type LogFacts, lookAll } from './logs.js'
import { type OwnPodsHere, readPods } from './pods.js'

export interface IstiodFacts extends Asked {
  /** Undefined where none is to tell of its proxies. */
  readonly debug?: Asked | undefined
  /** Undefined where none is to be read. */
  readonly logs: LogFacts | undefined
}

interface Surroundings extends OwnPodsHere {
  /** Whether an agent would follow pods. */
  readonly followsPods: boolean
}

type ProbeDeps = Pick<Deps, 'clock' | 'readFile' | 'growingFiles'>

const MAX_BYTES = 16 << 20

/** Undefined where an agent would ask none. */
export async function probeIstiod(
  { config, environment, followsPods }: Surroundings,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<IstiodFacts | { readonly message: string } | undefined> {
  const nobody = { live: () => [] }
  const known = followsPods ? nobody : undefined
  if (!usesIstiod(config, known)) return undefined
  try {
    const pods = followsPods ? await readPods({ config, environment }, deps, signal) : nobody
    const targets = [...istiodsOf(config.istiod, pods)]
    return {
      pods: beliefIn(pods, istiodBelief(config.istiod)),
      ...(await askAll(targets, { maxBytes: MAX_BYTES, read: readIstiodMetrics }, deps, signal)),
      debug: asksIstiodDebug(config, known) ? await askDebug(config, [...debugTargetsOf(config.istiod, pods)], deps, signal) : undefined,
      logs: readsIstiodLog(config, known) ? await lookAtLogs({ config, environment, pods }, deps, signal) : undefined,
    }
  } catch (error) {
    return { message: (error as Error).message }
  }
}

function askDebug({ istiod }: Config, targets: readonly Target[], deps: ProbeDeps, signal: AbortSignal): Promise<Asked> {
  const credentials = credentialsOf(istiod, deps)
  const ask: AskOne = (http, target, limited) => createAskDebug(http, credentials)(target, limited)
  return askAll(targets, { maxBytes: MAX_BYTES, ask }, deps, signal)
}

/** Undefined where there is none to be read. */
async function lookAtLogs(
  { config, environment, pods }: OwnPodsHere & { readonly pods: Pick<OwnPods, 'live'> },
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<LogFacts | undefined> {
  const podLogs = createPodLogs({ config, environment }, deps)
  try {
    const logs = [...logsOf(config.istiod, pods, config.istiod.log === 'api' ? podLogs : undefined)]
    return logs.length === 0 ? undefined : await lookAll(logs, deps, signal)
  } finally {
    await podLogs.close()
  }
}

interface Found {
  readonly istiod: IstiodFacts | { readonly message: string } | undefined
  readonly config: Config
}

export function findIstiod({ istiod, config: { istiod: options } }: Found): Finding[] {
  if (options.enabled === false) return [ok('not asked (istiod.enabled: false)')]
  if (!istiod) return [ok('not asked: no pods are followed, istiod.targets is empty')]
  if ('message' in istiod) return [warn(`istiods of this node cannot be found: ${istiod.message}`)]
  const refused = findRefused(istiod, 'an istiod', 'istiod.namespaces')
  if (istiod.targets === 0) return [ok('no istiod on this node'), ...refused]
  return [
    findAnswers(istiod, { name: ['istiod', 'istiods'], isWanted: options.enabled === true, remedyOf }),
    ...findDebug(istiod),
    ...findLogs(istiod, options.log === 'api'),
    ...refused,
  ]
}

/** Their reasons say what to do, behind a semicolon. */
function findDebug({ debug }: IstiodFacts): readonly Finding[] {
  if (!debug) return []
  const silent = debug.silent.map(({ place, reason }) => ({ place, reason: reason.split('; ', 1)[0] ?? reason }))
  const remedies = new Map(debug.silent.map(({ reason }) => [reason.split('; ', 1)[0], reason.split('; ').slice(1).join('; ')]))
  const name = ['istiod asked for its proxies', 'istiods asked for their proxies'] as const
  return [findAnswers({ ...debug, silent }, { name, isWanted: true, remedyOf: (reason) => remedies.get(reason) || undefined })]
}

function remedyOf(reason: string): string | undefined {
  if (reason === 'it answers 403') return 'take METRICS_LOCALHOST_ACCESS_ONLY out of the environment of istiod'
  return isBlocked(reason) ? 'let the NetworkPolicies of its namespace pass the agent to port 15014' : undefined
}

function findLogs({ logs }: IstiodFacts, isOverApi: boolean): readonly Finding[] {
  if (!logs) return []
  const [first] = logs.unreadable
  if (!first) return [ok(`${logs.readable === 1 ? 'its log' : 'their logs'} can be read${isOverApi ? ' through the API server' : ''}`)]
  if (isOverApi) return [warn(`no causes of pushes: ${first.folder} cannot be read, ${first.reason}`)]
  return [
    warn(
      `no causes of pushes: ${first.folder} cannot be read, ${first.reason}`,
      'run as uid 0 with /var/log/pods mounted, as mode full does, or set istiod.log: api, or off',
    ),
  ]
}
