// VictoriaMetrics and vmalert, over the same samples as Prometheus: rules record the same, and every panel has its answer.
import t, { type Test } from 'tap'
import { panelQueries } from '../panels.js'
import { reasonToSkip } from '../peers/needed.js'
import { runVictoriaMetrics, type VictoriaMetrics, vmalert } from '../victoriametrics.js'
import { RULE_FILES } from './promtool.js'
import { AT_MINUTES, INPUT, type InputSeries, KNOWN_INPUT, NUMBERS, queriesWith } from './samples.js'

t.setTimeout(300_000)

const FROM = 1_763_688_000
const AT = FROM + AT_MINUTES * 60
const [RECORDING = ''] = RULE_FILES
/** From, step and number of steps, as promtool writes them. */
const STEPS = /^(\d+)(?:\+(\d+))?x(\d+)$/

function linesOf({ series, values }: InputSeries): readonly string[] {
  const [, start = '', step = '0', count = ''] = STEPS.exec(values) ?? []
  return Array.from({ length: Number(count) + 1 }, (_, i) => `${series} ${Number(start) + i * Number(step)} ${(FROM + i * 60) * 1_000}`)
}

/** `{a="b",c="d"}` as an object. */
const labelsOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))

const sorted = (all: readonly (readonly [Readonly<Record<string, string>>, number])[]): readonly string[] =>
  all.map(([labels, value]) => JSON.stringify([Object.entries(labels).sort(), value])).sort()

async function recorded(t: Test, input: readonly InputSeries[]): Promise<VictoriaMetrics> {
  const server = await runVictoriaMetrics(t.testdir())
  t.teardown(() => server.stop())
  await server.take(input.flatMap(linesOf))
  await server.replay([RECORDING], { from: FROM, to: AT })
  return server
}

const skip = reasonToSkip(['victoriametrics']) ?? false

t.test('vmalert takes all rules', { skip }, async (t) => {
  await t.resolves(vmalert(['-dryRun', ...RULE_FILES.map((file) => `-rule=${file}`)]))
})

t.test('each query of each panel', { skip }, async (t) => {
  const server = await recorded(t, INPUT)
  for (const expr of queriesWith({})) t.ok((await server.query(`(${expr}) >= 0`, AT)).length > 0, expr)
  for (const expr of queriesWith({ cluster: 'other' })) t.same(await server.query(`(${expr}) > 0`, AT), [], expr)
})

t.test('numbers are those of Prometheus', { skip }, async (t) => {
  const server = await recorded(
    t,
    Object.entries(KNOWN_INPUT).map(([series, values]) => ({ series, values })),
  )
  const queries = panelQueries({ __rate_interval: '5m' })
  for (const [panel, wanted] of Object.entries(NUMBERS)) {
    const found = await server.query(queries.find(({ where }) => where === `meshtoll / ${panel}`)?.expr ?? '', AT)
    const numbers = found.map(({ metric, value: [, value] }) => [metric, Number(value)] as const)
    t.same(sorted(numbers), sorted(Object.entries(wanted).map(([labels, value]) => [labelsOf(labels), value] as const)), panel)
  }
})
