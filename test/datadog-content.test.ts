// Monitors and dashboards: what the files say is what code says, what the client of Datadog understands, and names what there is.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ObjectSerializer } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/models/ObjectSerializer.js'
import t from 'tap'
import { monitorOf } from '../scripts/datadog/monitor.js'
import { among, queryOf, tagsOf } from '../scripts/datadog/queries.js'
import { renderDatadogFiles } from '../scripts/datadog.js'
import { catalogue } from '../src/catalogue.js'
import { datadogNameOf } from '../src/exporters/datadog/name.js'
import type { Family } from '../src/model.js'

const ROOT = join(import.meta.dirname, '..')
const MONITORS = join(ROOT, 'deploy/datadog/monitors')
const DASHBOARDS = join(ROOT, 'dashboards/datadog')
/** Of datadog.tags, as README says. */
const CONSTANT = ['kube_cluster_name']

type Json = { readonly [key: string]: unknown }
const readAll = (folder: string): readonly (readonly [name: string, one: Json])[] =>
  readdirSync(folder).map((file) => [basename(file, '.json'), JSON.parse(readFileSync(join(folder, file), 'utf8')) as Json])
const monitors = readAll(MONITORS)
const dashboards = readAll(DASHBOARDS)

t.test('the files are those that npm run docs writes', async (t) => {
  const wanted = renderDatadogFiles()
  for (const [file, text] of Object.entries(wanted)) t.equal(readFileSync(join(ROOT, file), 'utf8'), text, basename(file))
  const there = [MONITORS, DASHBOARDS].flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
  t.same(
    there.sort(),
    Object.keys(wanted)
      .map((file) => join(ROOT, file))
      .sort(),
    'and no other is there',
  )
})

/** Paths to what its models do not know. */
function unparsed(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = value as Json
  const isUnknown = own['_unparsed'] === true || own['_data'] !== undefined || Object.keys(own['additionalProperties'] ?? {}).length > 0
  return [...(isUnknown ? [path] : []), ...Object.entries(own).flatMap(([key, inner]) => unparsed(inner, `${path}.${key}`))]
}

const understood = (one: unknown, type: string): unknown => ObjectSerializer.deserialize(one, type, '')

t.test("the client's models leave nothing over, and give back what they took", async (t) => {
  const cases = [
    ...monitors.flatMap(([name, one]) => ['Monitor', 'MonitorUpdateRequest'].map((type) => ({ name, one, type }))),
    ...dashboards.map(([name, one]) => ({ name, one, type: 'Dashboard' })),
  ]
  for (const { name, one, type } of cases) {
    const model = understood(one, type)
    t.same(unparsed(model), [], `${name} as ${type}`)
    t.same(ObjectSerializer.serialize(model, type, ''), one, `${name} as ${type}, there and back`)
  }
  const wrong = { ...dashboards[0]?.[1], widgets: [{ definition: { type: 'toplists', requests: [] } }] }
  t.not(unparsed(understood(wrong, 'Dashboard')).length, 0, 'what is wrong would show')
})

const byMetric: ReadonlyMap<string, Family> = new Map(
  catalogue.flatMap((family) => {
    const name = datadogNameOf(family)
    if (name === undefined) return []
    const names = family.kind === 'histogram' ? ['count', 'sum', 'p50', 'p95', 'p99', 'max'].map((part) => `${name}.${part}`) : [name]
    return names.map((one) => [one, family] as const)
  }),
)

interface Read {
  readonly metric: string
  readonly where: string
  readonly tags: readonly string[]
  readonly by: readonly string[]
  /** `.as_count()` or `.as_rate()`. */
  readonly isCounted: boolean
}

/** Read anew, not as they were written. */
function metricsIn(query: string): readonly Read[] {
  return [...query.matchAll(/\b(?:sum|avg|min|max):([\w.]+)\{([^}]*)\}(?: by \{([^}]*)\})?(\.as_)?/g)].map(
    ([, metric = '', where = '', by = '', as]) => ({
      metric,
      where,
      tags: where.split(' AND ').flatMap((one) => /^(?:NOT )?([a-z_]+)(?::| IN )/.exec(one)?.[1] ?? []),
      by: by.split(',').filter(Boolean),
      isCounted: as !== undefined,
    }),
  )
}

const stringsIn = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
const queriesIn = (one: unknown): readonly string[] => stringsIn(one).filter((text) => /\b(sum|avg|min|max):[a-z]/.test(text))

t.test('they name what the catalogue has, and nothing else', async (t) => {
  for (const [name, one] of [...monitors, ...dashboards]) {
    for (const query of queriesIn(one)) {
      const found = metricsIn(query)
      t.equal(
        found.length,
        query.split('{').length - 1 - found.filter(({ by }) => by.length > 0).length,
        `${name}: all of ${query} is read`,
      )
      for (const { metric, where, tags, by, isCounted } of found) {
        const family = byMetric.get(metric)
        if (!t.ok(family, `${name}: ${metric} is there`) || !family) continue
        const wrong = [...tags, ...by].filter((tag) => !tagsOf(family).has(tag) && !CONSTANT.includes(tag))
        t.same(wrong, [], `${name}: tags of ${metric}`)
        const isCount = family.kind === 'counter' || /\.(count|sum)$/.test(metric)
        t.notMatch(where.replaceAll(/ IN \([^)]*\)/g, ''), /[!,]/, `${name}: no ! and no comma beside words`)
        t.equal(isCounted, isCount, `${name}: ${metric} is asked for as what it is`)
      }
    }
  }
  t.throws(() => queryOf({ of: 'sum', family: 'meshtoll_flow_byte_total', as: 'rate' }), /not in the catalogue/)
  t.throws(() => queryOf({ of: 'sum', family: 'process_open_fds' }), /not sent to Datadog/)
  t.throws(
    () => queryOf({ of: 'sum', family: 'meshtoll_zone_bytes_total', by: ['src_owner_name'], as: 'rate' }),
    /has no tag src_owner_name/,
  )
  t.throws(() => queryOf({ of: 'sum', family: 'meshtoll_zone_bytes_total', where: [among('zone', 'a')], as: 'rate' }), /has no tag zone/)
  t.throws(() => queryOf({ of: 'sum', family: 'meshtoll_zone_bytes_total' }), /as_count or as_rate/)
  t.throws(() => queryOf({ of: 'max', family: 'meshtoll_series', as: 'rate' }), /no count/)
  t.throws(() => queryOf({ of: 'max', family: 'meshtoll_pilot_debounce_seconds' }), /is a histogram/)
})

t.test('monitors', async (t) => {
  for (const [name, one] of monitors) {
    const {
      query,
      message,
      tags,
      name: title,
      options,
    } = one as { query: string; message: string; tags: string[]; name: string; options: Json }
    const { critical, warning } = options['thresholds'] as { critical: number; warning?: number }
    const isBelow = query.includes(' < ')
    t.ok(query.endsWith(` ${isBelow ? '<' : '>'} ${critical}`), `${name}: the query ends with its threshold`)
    if (warning !== undefined) t.ok(isBelow ? warning > critical : warning < critical, `${name}: it warns before`)
    const groups = new Set(metricsIn(query).flatMap(({ by }) => by))
    const named = [...`${title}${message}`.matchAll(/\{\{(\w+)\.name\}\}/g)].map((match) => match[1] ?? '')
    t.same(
      named.filter((tag) => !groups.has(tag)),
      [],
      `${name}: names what it is grouped by`,
    )
    t.match(message, /\{\{(value|eval "value[/*]\d+")\}\}|Nothing came/, `${name}: says the number`)
    t.ok(message.includes('{{threshold}}') && message.includes('{{warn_threshold}}') === (warning !== undefined), `${name}: and the limit`)
    const blocks = [...message.matchAll(/\{\{([#^/])(\w+)\}\}/g)].map(([, sign, word]) => `${sign === '/' ? '/' : ''}${word}`)
    t.same(
      blocks.filter((_, i) => i % 2 === 1),
      blocks.filter((_, i) => i % 2 === 0).map((word) => `/${word}`),
      `${name}: what opens is closed`,
    )
    t.ok(tags.includes('managed_by:meshtoll'))
    const [, of = '', minutes = ''] = /^(\w+)\(last_(\d+)m\)/.exec(query) ?? []
    const whole = ['min', 'max', 'avg'].includes(of) ? Number(minutes) * 60 : 60
    t.equal(options['new_group_delay'], groups.size > 0 ? whole : undefined, `${name}: a group that just came is not wrong yet`)
    t.equal(options['notify_no_data'], /^(All)?Agents?Down$/.test(name), `${name}: silence is an alert for heartbeats alone`)
    t.ok(!query.includes('.as_count()') || query.startsWith('sum('), `${name}: counts of a monitor can only be summed`)
    if (options['notify_no_data'])
      t.ok(Number(options['no_data_timeframe']) >= 2 * Number(minutes), `${name}: Datadog wants twice the window for silence`)
    const [, runbook = ''] = /\/docs\/runbooks\/(\w+\.md)$/.exec(message) ?? []
    t.ok(existsSync(join(ROOT, 'docs/runbooks', runbook)) && runbook !== '', `${name}: its runbook ${runbook} is there`)
  }
  const ids = monitors.flatMap(([, { tags }]) => tags as string[]).filter((tag) => tag.startsWith('meshtoll_id:'))
  t.equal(new Set(ids).size, monitors.length, 'each has an id of its own')
})

t.test('docs/datadog.md has a row for each', async (t) => {
  const rows = readFileSync(join(ROOT, 'docs/datadog.md'), 'utf8').matchAll(/^\| \[(\w+)\]\(runbooks\/(\w+\.md)\) \|/gm)
  const documented = [...rows].map(([, name, runbook]) => `${name} ${runbook}`)
  const wanted = monitors.map(([name, { message }]) => `${name} ${/\w+\.md$/.exec(String(message))?.[0]}`)
  t.same(documented.sort(), wanted.sort())
})

t.test('sparse counts', async (t) => {
  for (const [name, { query }] of monitors) {
    const [numerator = ''] = (query as string).split(' / ')
    for (const part of numerator.match(/(?:default_zero\()?sum:[^}]*\}(?: by \{[^}]*\})?\.as_\w+\(\)/g) ?? []) {
      t.ok(part.startsWith('default_zero('), `${name}: ${part}`)
    }
  }
})

t.test('what is not sent where it is none', async (t) => {
  for (const [name, { query }] of monitors) {
    if (!/:meshtoll\.proxy\.stale_hosts\{/.test(query as string)) continue
    const [, minutes] = /^min\(last_(\d+)m\):default_zero\(/.exec(query as string) ?? []
    t.ok(Number(minutes) > 5, `${name}: Datadog has the last level go on for five minutes, and then it is 0`)
  }
})

t.test('an alert with a higher limit than its warning', async (t) => {
  const made = monitorOf({ name: 'PushStorm', title: 'x', over: 'sum(last_5m)', query: 'q', by: [], says: 'x', priority: 4 }) as Json
  t.notOk('new_group_delay' in (made['options'] as Json), 'without groups there is no delay of them')
  t.equal(made['query'], 'sum(last_5m):q > 120')
})

t.test('dashboards', async (t) => {
  for (const [name, one] of dashboards) {
    const { description, template_variables: variables } = one as {
      description: string
      template_variables: { name: string; prefix: string }[]
    }
    t.ok(description.endsWith(`managed_by:meshtoll meshtoll_id:${name}`), `${name} is found again by its description`)
    const used = new Set(queriesIn(one).flatMap((query) => [...query.matchAll(/\$(\w+)/g)].map((match) => match[1])))
    t.same([...used].sort(), variables.map((variable) => variable.name).sort(), `${name}: variables that there are, and that do something`)
    const tags = new Set(
      queriesIn(one)
        .flatMap(metricsIn)
        .flatMap(({ metric }) => [...tagsOf(byMetric.get(metric) as Family)]),
    )
    const unknown = variables.filter(({ prefix }) => !tags.has(prefix) && !CONSTANT.includes(prefix))
    t.same(unknown, [], `${name}: variables of tags that there are`)
    t.same(overlaps(one), [], `${name}: no widget lies on another`)
  }
})

interface Placed {
  readonly layout: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  readonly definition: Json
}

/** Also of what leaves the twelve columns. */
function overlaps(of: Json): readonly string[] {
  const widgets = of['widgets'] as readonly Placed[]
  const titleOf = ({ definition }: Placed): string => String(definition['title'] ?? definition['type'])
  const own = widgets.flatMap((one, i) => {
    const { x, y, width, height } = one.layout
    const hit = (other: Placed['layout']): boolean =>
      x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
    const isOut = x < 0 || x + width > 12 || !Number.isInteger(width)
    return isOut || widgets.slice(i + 1).some(({ layout }) => hit(layout)) ? [titleOf(one)] : []
  })
  return [...own, ...widgets.flatMap(({ definition }) => (definition['widgets'] ? overlaps(definition) : []))]
}
