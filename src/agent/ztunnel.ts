// The ztunnels of this node as a source: whether they are asked, who they are, and where they answer.
import type { Config } from '../config/fields.js'
import type { Deps } from '../deps.js'
import type { OwnPods } from '../identity/own-pods.js'
import type { Source } from '../model.js'
import type { Target } from '../sources/scraping.js'
import { createZtunnel } from '../sources/ztunnel/source.js'
import { openHttpGet } from './http-get.js'
import { type Belief, believedOf, configuredTargets, createRefusals, isAsked, targetsOf } from './targets.js'

const PORT = 15020
const PATH = '/stats/prometheus'
const DEADLINE_MS = 10_000
/** One that has met with 10,000 pairs of workloads says 40 MiB; no more than a piece of it is kept at a time. */
const MAX_BYTES = 128 << 20

type Pods = Pick<OwnPods, 'live'>
type ZtunnelConfig = Pick<Config, 'ztunnel'>

export const usesZtunnel = ({ ztunnel }: ZtunnelConfig, pods: Pods | undefined): boolean => isAsked(ztunnel, pods)

export function createZtunnelSource({ ztunnel }: ZtunnelConfig, pods: Pods | undefined, deps: Pick<Deps, 'clock' | 'log'>): Source {
  const tellOfRefused = createRefusals(ztunnelBelief(ztunnel), deps)
  return createZtunnel(
    {
      intervalMs: ztunnel.intervalMs,
      targets: () => {
        tellOfRefused(pods)
        return ztunnelsOf(ztunnel, pods)
      },
      open: () => openHttpGet({ deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES }, deps),
    },
    deps,
  )
}

type Wanted = Pick<Config['ztunnel'], 'targets' | 'namespaces'>

export const ztunnelBelief = ({ namespaces }: Pick<Wanted, 'namespaces'>): Belief => ({ role: 'ztunnel', namespaces })

export function* ztunnelsOf(ztunnel: Wanted, pods: Pods | undefined): Generator<Target> {
  yield* configuredTargets(ztunnel.targets)
  if (pods) yield* targetsOf(believedOf(pods, ztunnelBelief(ztunnel)), 'ztunnel', (host) => `http://${host}:${PORT}${PATH}`)
}
