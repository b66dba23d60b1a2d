// Rules of deploy/prometheus with other values, such as windows of seconds.
import { basename } from 'node:path'
import { readRuleSettings, renderRuleFiles, type Settings } from '../scripts/rules.js'

/** Files of rules by name. `window`: of the recording rules; `alerts`: what is to be other than by default, by the name of the alert, which is then on. */
export function rulesWith({ window, alerts }: { readonly window?: string; readonly alerts: Readonly<Record<string, Settings>> }) {
  const { alerts: defaults, recording, ...rest } = readRuleSettings()
  const all = Object.entries(defaults).map(([alert, settings]) => [
    alert,
    { ...settings, ...(alerts[alert] && { enabled: true }), ...alerts[alert] },
  ])
  const settings = { ...rest, recording: window === undefined ? recording : { ...recording, window }, alerts: Object.fromEntries(all) }
  const files = Object.entries(renderRuleFiles(settings)).filter(([file]) => !file.endsWith('prometheusrule.yaml'))
  return Object.fromEntries(files.map(([file, text]) => [basename(file), text])) as Readonly<Record<string, string>>
}
