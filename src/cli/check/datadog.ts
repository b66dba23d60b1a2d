// Where an agent would push to, and what it may cost: nothing is sent.
import type { Config } from '../../config/fields.js'
import { urlOf } from '../../datadog/push.js'
import { type Finding, ok } from './finding.js'

export function findDatadog({ config: { datadog } }: { readonly config: Pick<Config, 'datadog'> }): Finding[] {
  const { enabled, apiKeyFile, maxSeries } = datadog
  if (!enabled) return [ok('not pushed to (datadog.enabled: false)')]
  const key = apiKeyFile === null ? 'DD_API_KEY' : apiKeyFile
  return [
    ok(
      `${urlOf(datadog)}, with the key of ${key}; at most ${maxSeries} custom metrics from this node (meshtoll_datadog_series says how many)`,
    ),
  ]
}
