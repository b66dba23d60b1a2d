// What the page shows of a snapshot: few rows, the largest first, in human units.
import type { FamilySnapshot, Labels, Series } from '../model.js'

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/** The `count` series with the largest values above 0, in one pass: there may be tens of thousands. */
export function largestOf(series: Iterable<Series>, count: number): readonly Series[] {
  const largest: Series[] = []
  for (const one of series) {
    if (!(one.value > (largest[count - 1]?.value ?? 0))) continue
    const smaller = largest.findIndex(({ value }) => value < one.value)
    largest.splice(smaller < 0 ? largest.length : smaller, 0, one)
    largest.length = Math.min(largest.length, count)
  }
  return largest
}

export function seriesOf(families: readonly FamilySnapshot[], name: string): Iterable<Series> {
  return families.find(({ family }) => family.name === name)?.series ?? []
}

/** `shop/Deployment/cart`; a part that does not apply is left out; not known or folded is said once. */
export function ownerTextOf(labels: Labels, side: 'src' | 'dst'): string {
  const parts = ['namespace', 'owner_kind', 'owner_name'].map((part) => labels[`${side}_${part}`] ?? '')
  const said = parts.filter(Boolean)
  return new Set(said).size === 1 ? (said[0] ?? '') : said.join('/')
}

/** Three digits and a unit of a thousand: `1.42 GB`. */
export function renderBytes(bytes: number): string {
  const size = Math.abs(bytes)
  const fitting = UNITS.findIndex((_, power) => size < 999.5 * 1000 ** power)
  const power = fitting < 0 ? UNITS.length - 1 : fitting
  const scaled = size / 1000 ** power
  const decimals = power === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2
  return `${(bytes / 1000 ** power).toFixed(decimals)} ${UNITS[power]}`
}

/** `1,734,220,118` */
export function renderCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
