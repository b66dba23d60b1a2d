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
  const to = `${urlOf(datadog)}, with the key of ${apiKeyFile === null ? 'DD_API_KEY' : apiKeyFile}`
  const most = `at most ${maxSeries} custom metrics from this node`
  if (!found) return [ok(`${to}; ${most}; \`meshtoll datadog preview\` counts them where an agent runs`)]
  if ('message' in found) return [ok(`${to}; ${most}; how many they are cannot be asked: ${found.message}`)]
  const { customMetrics } = found
  if (customMetrics <= maxSeries) return [ok(`${to}; ${customMetrics} custom metrics from this node by now, ${most}`)]
  const remedy = 'leave labels out by datadog.excludeLabels, or raise datadog.maxSeries: `meshtoll datadog preview` shows them'
  return [warn(`${to}; ${customMetrics} custom metrics from this node by now, of which the smallest are folded into ${maxSeries}`, remedy)]
}
