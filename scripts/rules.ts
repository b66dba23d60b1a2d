// Rules for Prometheus: deploy/helm/meshtoll/files/rules with the chart's defaults, as files of rules and as one PrometheusRule.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'

const DEPLOY = join(import.meta.dirname, '../deploy')
const CHART = join(DEPLOY, 'helm/meshtoll')
const SOURCE = join(CHART, 'files/rules')

export type Settings = Readonly<Record<string, string | number | boolean>>

export interface RuleSettings {
  readonly runbookUrl: string
  readonly recording: Settings
  /** By the name of the alert. */
  readonly alerts: Readonly<Record<string, Settings>>
}

export interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface RuleGroup {
  readonly name: string
  readonly rules: readonly Rule[]
}

/** In files that no value of the chart is in: whoever has a copy of docs/runbooks puts its address there. */
const RUNBOOKS = 'https://git.example.com/meshtoll/docs/runbooks'

/** In the place of an empty one, which the chart fills in by the name of its release: these are right where that is meshtoll. */
const JOBS: Readonly<Record<string, string>> = {
  AgentDown: '(.*/)?meshtoll(-agent)?',
  AllAgentsDown: '(.*/)?meshtoll(-agent)?',
  DirectoryDown: '(.*/)?meshtoll-directory',
}

/** Those of the chart's values, with an address. */
export function readRuleSettings(): RuleSettings {
  const { prometheusRule } = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
  return { ...prometheusRule, runbookUrl: prometheusRule.runbookUrl || RUNBOOKS }
}

/** With those as well that are off by default. */
export const withAllAlerts = (settings: RuleSettings): RuleSettings => ({
  ...settings,
  alerts: Object.fromEntries(Object.entries(settings.alerts).map(([name, own]) => [name, { ...own, enabled: true }])),
})

/** All that npm run manifests writes, by its path. */
export function renderRuleFiles(settings = readRuleSettings()): Readonly<Record<string, string>> {
  const files = readdirSync(SOURCE).sort()
  const filled = files.map((file) => fill(readFileSync(join(SOURCE, file), 'utf8'), settings))
  const plain = filled.map((text, i) => [join(DEPLOY, 'prometheus', files[i] ?? ''), `${HEAD}${text}`])
  return { ...Object.fromEntries(plain), [join(DEPLOY, 'prometheus/prometheusrule.yaml')]: renderObject(filled.flatMap(groupsOf)) }
}

export const groupsOf = (text: string): readonly RuleGroup[] => parse(text).groups

const HEAD = '# Rendered from deploy/helm/meshtoll/files/rules by `npm run manifests`, with the defaults of its values.yaml.\n'

function renderObject(groups: readonly RuleGroup[]): string {
  const metadata = { name: 'meshtoll', namespace: 'meshtoll', labels: { 'app.kubernetes.io/name': 'meshtoll' } }
  const object = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata, spec: { groups } }
  return `${HEAD}${stringify(object, { lineWidth: 0 })}`
}

/** As text, which keeps comments and lines as they are. Before the first rule nothing is to be filled in. What is off is a comment. */
function fill(text: string, { runbookUrl, recording, alerts }: RuleSettings): string {
  const [head, ...rules] = text.split(/(?=^ +- (?:alert|record): )/m)
  const filled = rules.map((rule) => {
    const [, alert = ''] = /- alert: (\w+)/.exec(rule) ?? []
    const own = alerts[alert]
    const text = fillText(rule, { ...recording, runbookUrl, ...own, job: own?.['job'] || (JOBS[alert] ?? '') })
    return own?.['enabled'] === false ? text.replaceAll(/^( {6})(?=.)/gm, '$1# ') : text
  })
  return [head, ...filled].join('')
}

function fillText(text: string, values: Settings): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (reference, name) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${reference} is no value of prometheusRule: ${text}`)
    return String(value)
  })
}
