// How the table writes zones and owners: as fully as there is room for.
import type { Owner, Row } from './rows.js'

export interface Naming {
  /** Over the zones: says what they all begin with, where that is left out. */
  readonly heading: string
  readonly zone: (zone: string) => string
  readonly owner: (owner: Owner) => string
}

const HEADING = 'zone pair'

const OWNERS: readonly ((owner: Owner) => string)[] = [
  ({ namespace, kind, name }) => joined([namespace, kind, name]),
  ({ namespace, name }) => joined([namespace, name]),
  ({ name }) => name,
]

/** The fullest first. A way that gives two owners one name is none. */
export function namingsOf(rows: readonly Row[]): readonly Naming[] {
  const owners = rows.flatMap(({ from, to }) => [from, to])
  const prefix = commonPrefix(owners.map(({ zone }) => zone))
  const whole = { heading: HEADING, zone: (zone: string) => zone || 'outside' }
  const short = {
    heading: `zones ${prefix}`,
    zone: (zone: string) => (zone.startsWith(prefix) ? zone.slice(prefix.length) : zone || 'outside'),
  }
  return OWNERS.filter((owner) => keepsApart(owners, owner)).flatMap((owner) => [
    { ...whole, owner },
    ...(prefix ? [{ ...short, owner }] : []),
  ])
}

function keepsApart(owners: readonly Owner[], name: (owner: Owner) => string): boolean {
  const count = (nameOf: (owner: Owner) => string): number => new Set(owners.map(nameOf)).size
  return count(name) === count(({ namespace, kind, name }) => JSON.stringify([namespace, kind, name]))
}

/** What does not apply is left out; not known or folded is said once. */
function joined(parts: readonly string[]): string {
  const said = parts.filter(Boolean)
  return new Set(said).size === 1 ? (said[0] ?? '') : said.join('/')
}

/** What all zones that are known begin with, up to a hyphen: `us-east-` of us-east-1a and us-east-1b. */
function commonPrefix(zones: readonly string[]): string {
  const known = [...new Set(zones)].filter((zone) => zone !== '' && !zone.startsWith('_'))
  const [first = ''] = known
  const prefixes = [...first.matchAll(/-/g)].map(({ index }) => first.slice(0, index + 1))
  return prefixes.findLast((prefix) => known.length > 1 && known.every((zone) => zone.startsWith(prefix))) ?? ''
}

/** `shop/Deployment/recommendations` -> `shop/Dep…ndations` */
export function shortened(text: string, width: number): string {
  if (text.length <= width) return text
  const kept = Math.max(width - 1, 0)
  return `${text.slice(0, Math.ceil(kept / 2))}…${text.slice(text.length - Math.floor(kept / 2))}`
}
