// Unit tests of rules, as promtool runs them: samples by hand in, alerts and recorded series out.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { readRuleSettings, renderRuleFiles, withAllAlerts } from '../../scripts/rules.js'
import { programOf, reasonToSkip } from '../peers/needed.js'

export const RULES = join(import.meta.dirname, '../../deploy/prometheus')
export const RULE_FILES = ['recording', 'traffic', 'control-plane', 'meshtoll'].map((name) => join(RULES, `${name}.yaml`))

/** The oldest that rules have to do with, and today's. */
export const PROMTOOLS = [
  { name: 'promtool 2.42', path: (): string => programOf('promtool') },
  { name: 'promtool 3', path: (): string => programOf('prometheus', 'promtool') },
]

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly description: string
}

/** An alert's life: `quiet` are times with samples just below, or not yet for long enough. Times are of Prometheus, such as 10m. */
export interface AlertCase {
  readonly alert: string
  readonly name?: string
  /** Between samples, and between evaluations; default: 1m. */
  readonly interval?: string
  /** As promtool writes them, such as `1+2x10`. */
  readonly series: Readonly<Record<string, string>>
  readonly quiet: readonly string[]
  readonly fires: string
  readonly firing: readonly FiringAlert[]
  readonly clears: string
}

export interface RecordingCase {
  readonly name: string
  readonly series: Readonly<Record<string, string>>
  readonly at: string
  /** What is recorded, as `name{label="value"}`, by the query for it. */
  readonly wanted: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const RUNBOOKS = 'https://git.example.com/meshtoll/docs/runbooks'

const inputOf = (series: Readonly<Record<string, string>>): object[] =>
  Object.entries(series).map(([name, values]) => ({ series: name, values }))

function alertTest({ alert, name = '', interval = '1m', series, quiet, fires, firing, clears }: AlertCase): object {
  const at = (time: string, alerts: readonly object[]): object => ({ eval_time: time, alertname: alert, exp_alerts: alerts })
  const alerts = firing.map(({ labels, summary, description }) => ({
    exp_labels: labels,
    exp_annotations: { summary, description, runbook_url: `${RUNBOOKS}/${alert}.md` },
  }))
  return {
    name: `${alert} ${name}`,
    interval,
    input_series: inputOf(series),
    alert_rule_test: [...[...quiet, clears].map((time) => at(time, [])), at(fires, alerts)],
  }
}

export function recordingTest({ name, series, at, wanted }: RecordingCase): object {
  const tests = Object.entries(wanted).map(([expr, samples]) => ({
    expr,
    eval_time: at,
    exp_samples: Object.entries(samples).map(([labels, value]) => ({ labels, value })),
  }))
  return { name, interval: '1m', input_series: inputOf(series), promql_expr_test: tests }
}

const GROUPS = ['meshtoll-bytes', 'meshtoll-dollars', 'meshtoll-control-plane', 'meshtoll-traffic', 'meshtoll-istio', 'meshtoll-itself']

export interface TestOptions {
  /** For the file that promtool reads. */
  readonly folder: string
  /** Between evaluations. */
  readonly interval: string
  /** Files; default: those of deploy/prometheus, with what is a comment there. */
  readonly rules?: readonly string[]
}

/** Into the folder; their paths. */
export function writeAllRules(folder: string): readonly string[] {
  const files = Object.entries(renderRuleFiles(withAllAlerts(readRuleSettings()))).filter(([file]) => !file.endsWith('prometheusrule.yaml'))
  return files.map(([file, text]) => {
    writeFileSync(join(folder, basename(file)), text)
    return join(folder, basename(file))
  })
}

/** What promtool finds wrong; empty when nothing is. */
export function testRules(
  path: string,
  tests: readonly object[],
  { folder, interval, rules = writeAllRules(folder) }: TestOptions,
): string {
  const file = join(folder, 'tests.json')
  const document = { rule_files: rules, evaluation_interval: interval, group_eval_order: GROUPS, tests }
  writeFileSync(file, JSON.stringify(document))
  const { status, stdout, stderr } = spawnSync(path, ['test', 'rules', file], { encoding: 'utf8' })
  return status === 0 ? '' : `${stdout}${stderr}`
}

/** Runs promtool once for each interval: for a week of minutes it would take minutes. */
export function testAlerts(cases: readonly AlertCase[]): void {
  const skip = reasonToSkip(['prometheus', 'promtool']) ?? false
  const intervals = new Set(cases.map(({ interval = '1m' }) => interval))
  for (const { name, path } of PROMTOOLS) {
    t.test(name, { skip }, async (t) => {
      for (const interval of intervals) {
        const tests = cases.filter((one) => (one.interval ?? '1m') === interval).map(alertTest)
        t.equal(testRules(path(), tests, { folder: t.testdir(), interval }), '', `${tests.length} alerts every ${interval}`)
      }
    })
  }
}
