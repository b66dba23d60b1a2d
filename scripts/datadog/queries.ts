// Queries of Datadog, made from the catalogue: a name or a tag that no family has cannot be written.
//   {of: 'sum', family: 'meshtoll_zone_bytes_total', where: [among('scope', 'cross_zone')], by: ['src_zone'], as: 'rate'}
//   -> sum:meshtoll.zone.bytes{scope:cross_zone} by {src_zone}.as_rate()
import { catalogue } from '../../src/catalogue.js'
import { datadogNameOf } from '../../src/exporters/datadog/name.js'
import { createTags } from '../../src/exporters/datadog/tags.js'
import type { Family } from '../../src/model.js'

export interface Query {
  readonly of: 'sum' | 'avg' | 'max' | 'min'
  readonly family: string
  /** Of a histogram. */
  readonly part?: 'count' | 'sum' | 'p50' | 'p95' | 'p99' | 'max'
  readonly where?: readonly Filter[]
  readonly by?: readonly string[]
  /** Of counts; of nothing else. */
  readonly as?: 'count' | 'rate'
}

/**
 * `tag` undefined: all of a template variable, its tag included. Words only: `!` and `,` cannot stand beside AND and NOT
 * (docs.datadoghq.com/metrics/advanced-filtering).
 */
export interface Filter {
  readonly tag: string | undefined
  readonly text: string
}

export const among = (tag: string, ...values: readonly string[]): Filter => ({
  tag,
  text: values.length === 1 ? `${tag}:${values[0]}` : `${tag} IN (${values.join(',')})`,
})
export const except = (tag: string, value: string): Filter => ({ tag, text: `NOT ${tag}:${value}` })
export const variable = (name: string): Filter => ({ tag: undefined, text: `$${name}` })

export const CROSSING = among('scope', 'cross_zone', 'cross_region')

export function queryOf({ of, family: name, part, where = [], by = [], as }: Query): string {
  const family = familyOf(name)
  const isCount = family.kind === 'counter' || part === 'count' || part === 'sum'
  if ((part !== undefined) !== (family.kind === 'histogram')) throw new Error(`${name} is a ${family.kind}, which is asked for otherwise`)
  if ((as !== undefined) !== isCount) throw new Error(`${name} is ${isCount ? 'sent as counts: as_count or as_rate' : 'no count'}`)
  const tags = tagsOf(family)
  const unknown = [...where.map(({ tag }) => tag), ...by].filter((tag) => tag !== undefined && !tags.has(tag))
  if (unknown.length > 0) throw new Error(`${name} has no tag ${unknown.join(', ')}`)
  const metric = `${datadogNameOf(family)}${part === undefined ? '' : `.${part}`}`
  const filter = where.map(({ text }) => text).join(' AND ') || '*'
  return `${of}:${metric}{${filter}}${by.length > 0 ? ` by {${by.join(',')}}` : ''}${as === undefined ? '' : `.as_${as}()`}`
}

/** Counts of nothing are not sent: where nothing came there would be nothing to compare, and an alert would not end. */
export const orZero = (query: Query): string => `default_zero(${queryOf(query)})`

const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'CronJob', 'Job']

/** Those that the push gives its series, whatever kind their owner is of, and the host. */
export function tagsOf({ labels }: Family): ReadonlySet<string> {
  const tags = KINDS.flatMap((kind) =>
    createTags().of(Object.fromEntries(labels.map((label) => [label, label.endsWith('owner_kind') ? kind : 'x']))),
  )
  return new Set(['host', ...tags.map((tag) => tag.slice(0, tag.indexOf(':')))])
}

function familyOf(name: string): Family {
  const family = catalogue.find((one) => one.name === name)
  if (!family || datadogNameOf(family) === undefined) throw new Error(`${name} is not in the catalogue, or not sent to Datadog`)
  return family
}
