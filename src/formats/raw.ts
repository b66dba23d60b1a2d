// Reads objects of which nothing is known: whatever is not of the shape asked for is as good as absent, and nothing throws.

export type Raw = Readonly<Record<string, unknown>>

const NOTHING: Raw = Object.freeze({})
const NONE: readonly never[] = Object.freeze([])

export function fieldsOf(value: unknown): Raw {
  return typeof value === 'object' && value !== null ? (value as Raw) : NOTHING
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NONE
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since 1970, of whole seconds rounded down as the API server writes them. A zero time (of Go, of Unix) is none. */
export function timeMsOf(value: unknown): number | undefined {
  const text = textOf(value)
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  return ms > 0 ? ms : undefined
}
