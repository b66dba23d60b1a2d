// How an object in Datadog differs from the one that is wanted. What the API adds (ids, times, defaults), leaves out when it is empty, or
// keeps in another order is no difference: only what we say is looked at.
import type { Json } from './objects.js'

export interface Difference {
  /** Such as `options.thresholds.critical`, or `Zones / Bytes by scope / requests[0].formulas[0].formula`. */
  readonly path: string
  /** Undefined where there is none. */
  readonly from: string | undefined
  readonly to: string | undefined
}

export function differencesOf(wanted: unknown, found: unknown, path = ''): readonly Difference[] {
  if (isEmpty(wanted) && isEmpty(found)) return []
  if (Array.isArray(wanted) && Array.isArray(found)) return differencesOfLists(wanted, found, path)
  if (isObject(wanted) && isObject(found))
    return keysOf(wanted, found, path).flatMap((key) => differencesOf(wanted[key], found[key], inner(path, key)))
  return isSame(wanted, found, path) ? [] : [difference(path, found, wanted)]
}

/** A threshold that nobody wants any more still warns. */
const keysOf = (wanted: Json, found: Json, path: string): readonly string[] =>
  path === 'options.thresholds' ? [...new Set([...Object.keys(wanted), ...Object.keys(found)])] : Object.keys(wanted)

/** Words have no order: tags, values of a variable, whom to tell. */
function differencesOfLists(wanted: readonly unknown[], found: readonly unknown[], path: string): readonly Difference[] {
  if ([...wanted, ...found].every((one) => typeof one === 'string')) {
    const [to, from] = [wanted.toSorted().join(', '), found.toSorted().join(', ')]
    return to === from ? [] : [difference(path, from, to)]
  }
  const both = wanted.slice(0, found.length)
  return [
    ...both.flatMap((one, i) => differencesOf(one, found[i], `${path}${nameOf(one, i)}`)),
    ...wanted.slice(both.length).map((one, i) => difference(`${path}${nameOf(one, both.length + i)}`, undefined, one)),
    ...found.slice(both.length).map((one, i) => difference(`${path}${nameOf(one, both.length + i)}`, one, undefined)),
  ]
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const difference = (path: string, from: unknown, to: unknown): Difference => ({
  path: path.replace(/^ \/ /, '').replaceAll(': / ', ' / ').replace(/:$/, ''),
  from: shown(from),
  to: shown(to),
})

/** An option that is off is the same as one that is not there. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0)

/** Datadog calls a monitor of a metric by either name, whichever it was made with. */
const TYPES: readonly unknown[] = ['query alert', 'metric alert']

function isSame(wanted: unknown, found: unknown, path: string): boolean {
  if (typeof wanted === 'string' && typeof found === 'string') {
    if (path === 'type' && TYPES.includes(wanted)) return TYPES.includes(found)
    return plain(wanted) === plain(found)
  }
  return wanted === found
}

const plain = (text: string): string => text.replaceAll('\r\n', '\n').trim()

/** Of a widget its title. */
function nameOf(one: unknown, index: number): string {
  if (!isObject(one)) return `[${index}]`
  const { definition, name } = one
  if (isObject(definition)) return ` / ${String(definition['title'] ?? definition['type'])}:`
  return typeof name === 'string' ? `.${name}` : `[${index}]`
}

/** Which title it is of says enough: ` / Zones: / Bytes by scope: requests`. */
function inner(path: string, key: string): string {
  if (key === 'definition' || key === 'widgets') return path
  if (path === '') return key
  return path.endsWith(':') ? `${path} ${key}` : `${path}.${key}`
}

/** Of an object what it is called: all of it would fill the screen. */
function shown(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (isObject(value)) {
    const { definition, name } = value
    if (isObject(definition)) return String(definition['title'] ?? definition['type'])
    if (typeof name === 'string') return name
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
