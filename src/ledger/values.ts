// Counters and levels that are not ours: served as they were read. A smaller total is a reset, which Prometheus sees for itself.
import type { Family, FamilySnapshot, ValueReading } from '../model.js'

export interface Values {
  /** Replaces what the source said before, nothing when it failed; returns how many of its counters started over. */
  replace(source: string, readings: readonly ValueReading[]): number
  families(): readonly FamilySnapshot[]
}

export function createValues(): Values {
  const bySource = new Map<string, ReadonlyMap<string, ValueReading>>()

  function replace(source: string, readings: readonly ValueReading[]): number {
    const before = bySource.get(source)
    const now = new Map(readings.map((reading) => [keyOf(reading), reading]))
    bySource.set(source, now)
    const hasFallen = ([key, { family, value }]: [string, ValueReading]) =>
      family.kind === 'counter' && value < (before?.get(key)?.value ?? 0)
    return [...now].filter(hasFallen).length
  }

  function families(): readonly FamilySnapshot[] {
    const series = new Map<Family, ValueReading[]>()
    for (const readings of bySource.values())
      for (const reading of readings.values()) {
        const known = series.get(reading.family)
        if (known) known.push(reading)
        else series.set(reading.family, [reading])
      }
    return [...series].map(([family, series]) => ({ family, series }))
  }

  return { replace, families }
}

/** Never a joined string: label values may hold any separator. */
const keyOf = ({ family, labels }: ValueReading): string => JSON.stringify([family.name, labels])
