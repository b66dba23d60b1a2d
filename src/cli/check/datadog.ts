// Where an agent would push to, and what it costs: nothing is sent.
import type { Config } from '../../config/fields.js'
import { countCustomMetrics } from '../../datadog/preview.js'
import { urlOf } from '../../datadog/push.js'
import type { Deps } from '../../deps.js'
import { askAgent } from '../datadog-preview/snapshot.js'
import { type Finding, ok, warn } from './finding.js'
import type { PortFacts } from './port.js'

export type DatadogFacts = { readonly customMetrics: number } | { readonly message: string }

interface Surroundings {
  readonly config: Pick<Config, 'datadog'>
  readonly port: PortFacts
}

/** Undefined where none is pushed to, or no agent answers that could be asked what it counts. */
export async function probeDatadog(
  { config: { datadog }, port: { agentUrl } }: Surroundings,
  deps: Pick<Deps, 'clock'>,
  signal: AbortSignal,
): Promise<DatadogFacts | undefined> {
  if (!datadog.enabled || agentUrl === undefined) return undefined
  try {
    const { snapshot } = await askAgent([agentUrl], deps, signal)
    return { customMetrics: await countCustomMetrics(snapshot.families, { datadog }, deps, signal) }
  } catch (error) {
    return { message: (error as Error).message }
  }
}

interface Found {
  readonly datadog: DatadogFacts | undefined
  readonly config: Pick<Config, 'datadog'>
}

export function findDatadog({ datadog: found, config: { datadog } }: Found): Finding[] {
  const { enabled, apiKeyFile, maxSeries } = datadog
  if (!enabled) return [ok('not pushed to (datadog.enabled: false)')]
  const to = ok(`${urlOf(datadog)}, with the key of ${apiKeyFile === null ? 'DD_API_KEY' : apiKeyFile}`)
  return [to, costOf(found, maxSeries)]
}

function costOf(found: DatadogFacts | undefined, most: number): Finding {
  if (!found) return ok(`at most ${most} custom metrics (meshtoll datadog preview)`)
  if ('message' in found) return ok(`at most ${most} custom metrics; an agent cannot be asked: ${found.message}`)
  const { customMetrics } = found
  if (customMetrics <= most) return ok(`${customMetrics} custom metrics by now, at most ${most}`)
  return warn(
    `${customMetrics} custom metrics by now, folded into ${most}`,
    'leave labels out (datadog.excludeLabels) or raise datadog.maxSeries',
    '`meshtoll datadog preview` shows them',
  )
}
