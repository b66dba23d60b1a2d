// Which ztunnels an agent would find on this node, and which of them answer it.
import { usesZtunnel, ztunnelBelief, ztunnelsOf } from '../../agent/ztunnel.js'
import type { Config } from '../../config/fields.js'
import type { Deps } from '../../deps.js'
import { readZtunnel } from '../../sources/ztunnel/stats.js'
import { createZonePairs } from '../../sources/ztunnel/zone-pairs.js'
import { type Asked, askAll, beliefIn, findAnswers, findRefused, isBlocked } from './asking.js'
import { type Finding, ok, warn } from './finding.js'
import { type OwnPodsHere, readPods } from './pods.js'

interface Surroundings extends OwnPodsHere {
  /** Whether an agent would follow pods. */
  readonly followsPods: boolean
}

export interface ZtunnelFacts extends Asked {
  /** Of those that answer. */
  readonly withoutZones: number
}

const MAX_BYTES = 128 << 20

/** Undefined where an agent would ask none. */
export async function probeZtunnel(
  { config, environment, followsPods }: Surroundings,
  deps: Pick<Deps, 'clock' | 'readFile'>,
  signal: AbortSignal,
): Promise<ZtunnelFacts | { readonly message: string } | undefined> {
  const nobody = { live: () => [] }
  if (!usesZtunnel(config, followsPods ? nobody : undefined)) return undefined
  let withoutZones = 0
  const read = async (pieces: AsyncIterable<string>): Promise<void> => {
    const { namesZones } = await readZtunnel(pieces, { series: new Map(), pairs: createZonePairs() })
    if (!namesZones) withoutZones++
  }
  try {
    const pods = followsPods ? await readPods({ config, environment }, deps, signal) : nobody
    const asked = await askAll([...ztunnelsOf(config.ztunnel, pods)], { maxBytes: MAX_BYTES, read }, deps, signal)
    return { pods: beliefIn(pods, ztunnelBelief(config.ztunnel)), ...asked, withoutZones }
  } catch (error) {
    return { message: (error as Error).message }
  }
}

interface Found {
  readonly ztunnel: ZtunnelFacts | { readonly message: string } | undefined
  readonly config: Config
}

export function findZtunnel({ ztunnel, config: { ztunnel: options } }: Found): Finding[] {
  if (options.enabled === false) return [ok('not asked (ztunnel.enabled: false)')]
  if (!ztunnel) return [ok('not asked: no pods are followed, ztunnel.targets is empty')]
  if ('message' in ztunnel) return [warn(`ztunnels of this node cannot be found: ${ztunnel.message}`)]
  const refused = findRefused(ztunnel, 'a ztunnel', 'ztunnel.namespaces')
  if (ztunnel.targets === 0) return [ok('no ztunnel on this node'), ...refused]
  const answers = findAnswers(ztunnel, { name: ['ztunnel', 'ztunnels'], isWanted: options.enabled === true, remedyOf })
  if (ztunnel.withoutZones === 0) return [answers, ...refused]
  return [answers, ...refused, warn('it names no zones: its bytes go to _unknown', 'use Istio 1.25 or newer')]
}

function remedyOf(reason: string): string | undefined {
  return isBlocked(reason) ? 'let the NetworkPolicies of its namespace pass the agent to port 15020' : undefined
}
