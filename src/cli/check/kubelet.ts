// What the kubelet says to an agent that would ask it.
import { openKubelet, usesKubelet } from '../../agent/kubelet.js'
import type { Config } from '../../config/fields.js'
import { within } from '../../deadline.js'
import type { Deps } from '../../deps.js'
import { parseSummary } from '../../sources/kubelet/summary.js'
import { type Finding, fail, ok, warn } from './finding.js'

export type KubeletFacts = { readonly pods: number } | { readonly message: string }

interface Surroundings {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the Node, where it was told. */
  readonly internalIps: readonly string[]
}

const ANSWERS_WITHIN_MS = 5_000

/** Undefined where an agent would not ask it. */
export async function probeKubelet(
  { config, environment, internalIps }: Surroundings,
  deps: Pick<Deps, 'clock' | 'log' | 'readFile'>,
  signal: AbortSignal,
): Promise<KubeletFacts | undefined> {
  if (!usesKubelet(config, environment)) return undefined
  try {
    return await within(deps.clock, { ms: ANSWERS_WITHIN_MS, signal }, async (limited) => {
      const endpoint = await openKubelet({ config, environment, internalIps }, deps, limited)
      try {
        return { pods: parseSummary(await endpoint.read('/stats/summary', limited)).pods.length }
      } finally {
        await endpoint.close()
      }
    })
  } catch (error) {
    return { message: (error as Error).message }
  }
}

export function findKubelet({ kubelet, config }: { readonly kubelet: KubeletFacts | undefined; readonly config: Config }): Finding[] {
  if (config.kubelet.enabled === false) return [ok('not asked (kubelet.enabled: false)')]
  if (!kubelet) return [ok('not asked: this is no pod that asks its API server')]
  if ('pods' in kubelet) return [ok(`says what ${kubelet.pods} ${kubelet.pods === 1 ? 'pod uses' : 'pods use'}`)]
  const [says = '', ...remedy] = kubelet.message.split('; ')
  const level = config.kubelet.enabled === true ? fail : warn
  return [level(`cannot be read: ${says}`, remedy.join('; ') || 'without it neither bytes by owner nor what proxies use is served')]
}
