// The istiods of this node as sources: whether they are asked and their logs are read, who they are, and where that is.
import type { Config } from '../config/fields.js'
import type { Deps } from '../deps.js'
import type { OwnPods } from '../identity/own-pods.js'
import { createTokenFile } from '../kube/token.js'
import type { Budget } from '../ledger/totals/choice.js'
import type { Source } from '../model.js'
import type { LogTarget } from '../sources/container-logs/following.js'
import { createIstiod } from '../sources/istiod/source.js'
import type { Credentials } from '../sources/istiod-debug/asking.js'
import { createIstiodDebug } from '../sources/istiod-debug/source.js'
import { CAUSE_LABELS, endpointChanges, PROXY_LABELS, pushCauses, SERVICE_LABELS, sentBytes } from '../sources/istiod-log/families.js'
import { createIstiodLog } from '../sources/istiod-log/source.js'
import type { Target } from '../sources/scraping.js'
import { openHttpGet } from './http-get.js'
import { createPodLogs, type PodLogs, type PodLogsParts } from './pod-logs.js'
import { type Belief, believedOf, configuredTargets, createRefusals, isAsked, logTargets, targetsOf } from './targets.js'

const PORT = 15014
const PATH = '/metrics'
const DEBUG_PATH = '/debug/syncz'
const CONTAINER = 'discovery'
const DEADLINE_MS = 5_000
/** One with a thousand proxies says a tenth, of metrics and of proxies. */
const MAX_BYTES = 16 << 20
/** It makes the answer first. */
const DEBUG_DEADLINE_MS = 10_000

type Pods = Pick<OwnPods, 'live'>
type IstiodConfig = Pick<Config, 'istiod'>

export const usesIstiod = ({ istiod }: IstiodConfig, pods: Pods | undefined): boolean => isAsked(istiod, pods)

export const readsIstiodLog = (config: IstiodConfig, pods: Pods | undefined): boolean =>
  usesIstiod(config, pods) && config.istiod.log !== 'off'

export function createIstiodSource({ istiod }: IstiodConfig, pods: Pods | undefined, deps: Pick<Deps, 'clock' | 'log'>): Source {
  const tellOfRefused = createRefusals(istiodBelief(istiod), deps)
  return createIstiod(
    {
      intervalMs: istiod.intervalMs,
      targets: () => {
        tellOfRefused(pods)
        return istiodsOf(istiod, pods)
      },
      open: () => openHttpGet({ deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES }, deps),
    },
    deps,
  )
}

export const asksIstiodDebug = (config: IstiodConfig, pods: Pods | undefined): boolean => config.istiod.debug && usesIstiod(config, pods)

type DebugDeps = Pick<Deps, 'clock' | 'log' | 'readFile'>

export function createIstiodDebugSource({ istiod }: IstiodConfig, pods: Pods | undefined, deps: DebugDeps): Source {
  return createIstiodDebug(
    {
      intervalMs: istiod.intervalMs,
      targets: () => debugTargetsOf(istiod, pods),
      credentials: credentialsOf(istiod, deps),
      open: () => openHttpGet({ deadlineMs: DEBUG_DEADLINE_MS, maxBytes: MAX_BYTES }, deps),
    },
    deps,
  )
}

export const credentialsOf = (istiod: Config['istiod'], deps: Pick<Deps, 'clock' | 'readFile'>): Credentials => ({
  token: createTokenFile(istiod.tokenFile, deps),
  namespaces: istiod.tokenNamespaces,
})

type LogDeps = Pick<Deps, 'clock' | 'log' | 'growingFiles' | 'readFile'>
type LogParts = PodLogsParts & { readonly config: IstiodConfig }

export function createIstiodLogSource({ config, environment }: LogParts, pods: Pods | undefined, deps: LogDeps): Source {
  const podLogs = config.istiod.log === 'api' ? createPodLogs({ config, environment }, deps) : undefined
  const source = createIstiodLog({ logs: () => logsOf(config.istiod, pods, podLogs), isOverApi: podLogs !== undefined }, deps)
  return {
    ...source,
    async run(signal) {
      await source.run?.(signal)
      await podLogs?.close()
    },
  }
}

/** As many names of each kind as are served. */
export function logBudgets({ series: { causes: limit } }: Pick<Config, 'series'>): readonly Budget[] {
  return [
    { family: pushCauses, limit, name: CAUSE_LABELS },
    { family: endpointChanges, limit, name: SERVICE_LABELS },
    { family: sentBytes, limit, name: PROXY_LABELS },
  ]
}

type Wanted = Pick<Config['istiod'], 'targets' | 'namespaces'>

export const istiodBelief = ({ namespaces }: Pick<Wanted, 'namespaces'>): Belief => ({ role: 'istiod', namespaces })

export function* istiodsOf(istiod: Wanted, pods: Pods | undefined): Generator<Target> {
  yield* configuredTargets(istiod.targets)
  if (pods) yield* targetsOf(believedOf(pods, istiodBelief(istiod)), 'istiod', (host) => `http://${host}:${PORT}${PATH}`)
}

/** By the URLs at which they tell of their proxies, which for those that are configured is that of their metrics but for the path. */
export function* debugTargetsOf(istiod: Wanted, pods: Pods | undefined): Generator<Target> {
  for (const target of istiodsOf(istiod, pods))
    yield { ...target, url: target.url === undefined ? undefined : new URL(DEBUG_PATH, target.url).href }
}

/** `podLogs`: where those of pods are followed through the API server; else they are files. */
export const logsOf = (istiod: Wanted, pods: Pods | undefined, podLogs?: Pick<PodLogs, 'placeOf'>): Iterable<LogTarget> =>
  logTargets({
    named: istiod.targets,
    pods: pods && believedOf(pods, istiodBelief(istiod)),
    role: 'istiod',
    container: CONTAINER,
    podLogs,
  })
