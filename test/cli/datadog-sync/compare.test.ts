import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { differencesOf } from '../../../src/cli/datadog-sync/compare.js'
import { fc, runs } from '../../property.js'

const PROJECT = join(import.meta.dirname, '../../..').replace(/\/\.compiled\/[^/]+$/, '')
type Json = Readonly<Record<string, unknown>>

t.test('differencesOf', async (t) => {
  const widget = (title: string): unknown => ({ definition: { type: 'toplist', title, requests: [{ sort: { count: 5 } }] } })
  const groups = (...titles: string[]): unknown => ({ widgets: [{ definition: { title: 'Zones', widgets: titles.map(widget) } }] })
  const cases = [
    { name: 'the same', wanted: { a: 1, b: ['x'] }, found: { a: 1, b: ['x'] }, is: [] },
    { name: 'what the API adds', wanted: { a: 1 }, found: { a: 1, id: 7, created: 'x' }, is: [] },
    { name: 'what it leaves out', wanted: { a: 0, b: false, c: [], d: '', e: {} }, found: { a: null }, is: [] },
    { name: 'words in another order', wanted: { tags: ['a', 'b'] }, found: { tags: ['b', 'a'] }, is: [] },
    { name: 'a word less', wanted: { tags: ['a', 'b'] }, found: { tags: ['b'] }, is: [{ path: 'tags', from: 'b', to: 'a, b' }] },
    { name: 'lines of another system', wanted: { message: 'a\nb' }, found: { message: 'a\r\nb\n' }, is: [] },
    { name: 'the other name of a type', wanted: { type: 'query alert' }, found: { type: 'metric alert' }, is: [] },
    {
      name: 'that name elsewhere',
      wanted: { name: 'query alert' },
      found: { name: 'metric alert' },
      is: [{ path: 'name', from: 'metric alert', to: 'query alert' }],
    },
    {
      name: 'a threshold of zero',
      wanted: { options: { critical: 0 } },
      found: { options: { critical: 5 } },
      is: [{ path: 'options.critical', from: '5', to: '0' }],
    },
    {
      name: 'a threshold too many',
      wanted: { options: { thresholds: { critical: 5 } } },
      found: { options: { thresholds: { critical: 5, warning: 3, ok: null } } },
      is: [{ path: 'options.thresholds.warning', from: '3', to: undefined }],
    },
    { name: 'a list that is none', wanted: { a: ['x'] }, found: { a: 'x' }, is: [{ path: 'a', from: 'x', to: '["x"]' }] },
    {
      name: 'a widget by its title',
      wanted: groups('A', 'B'),
      found: JSON.parse(JSON.stringify(groups('A', 'B')).replace('"count":5', '"count":6')),
      is: [{ path: 'Zones / A: requests[0].sort.count', from: '6', to: '5' }],
    },
    { name: 'a widget too few', wanted: groups('A', 'B'), found: groups('A'), is: [{ path: 'Zones / B', from: undefined, to: 'B' }] },
    { name: 'a widget too many', wanted: groups('A'), found: groups('A', 'B'), is: [{ path: 'Zones / B', from: 'B', to: undefined }] },
    { name: 'nothing at all', wanted: { a: { b: 1 } }, found: {}, is: [{ path: 'a', from: undefined, to: '{"b":1}' }] },
  ]
  for (const { name, wanted, found, is } of cases) t.same(differencesOf(wanted, found), is, name)
})

const read = (folder: string): readonly Json[] =>
  readdirSync(join(PROJECT, folder)).map((file) => JSON.parse(readFileSync(join(PROJECT, folder, file), 'utf8')) as Json)
const bodies = [...read('deploy/datadog/monitors'), ...read('dashboards/datadog')]

/** As an API may give it back: keys and words turned around, more keys everywhere, what is empty left out. */
function disguised(value: unknown, turn: boolean): unknown {
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === 'string')) return turn ? value.toReversed() : value
    return value.map((one) => disguised(one, turn))
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== false && inner !== 0)
  const all = [...entries.map(([key, inner]) => [key, disguised(inner, turn)] as const), ['modified_by' as const, { id: 1 }] as const]
  return Object.fromEntries(turn ? all.toReversed() : all)
}

type Path = readonly (string | number)[]
const leavesOf = (value: unknown, path: Path = []): readonly Path[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]))
    : [path]

function changedAt(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${String(value)}!`
  if (Array.isArray(value)) return value.map((one, i) => (i === key ? changedAt(one, rest) : one))
  return { ...(value as Json), [key]: changedAt((value as Json)[key], rest) }
}

t.test('whatever is done to it on the way is no difference, and whatever is changed is one', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.boolean(), fc.nat(), (body, turn, at) => {
      const thresholds = (body['options'] as Json | undefined)?.['thresholds']
      const back = disguised(body, turn) as Json
      const found = thresholds === undefined ? back : { ...back, options: { ...(back['options'] as Json), thresholds } }
      if (differencesOf(body, found).length > 0) return false
      const leaves = leavesOf(body)
      const path = leaves[at % leaves.length] ?? []
      return differencesOf(body, changedAt(body, path)).length === 1
    }),
    { numRuns: runs(200) },
  )
  t.pass()
})
