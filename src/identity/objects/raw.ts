// Reads objects of which nothing is known: whatever is not of the shape asked for is as good as absent, and nothing throws.

import { addressText } from '../../formats/address-text.js'
import { parseAddress } from '../address.js'

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

/** What is no text, or an empty one, is left out. */
export function textsOf(values: readonly unknown[]): readonly string[] {
  const texts = values.map(textOf).filter(Boolean)
  return texts.length === 0 ? NONE : Object.freeze(texts)
}

/** Of the core group. Objects of a list do not say what they are; those that do must say it right (Knative has a Service as well). */
export function isCoreObject(object: Raw, kind: string): boolean {
  return (object.kind ?? kind) === kind && (object.apiVersion ?? 'v1') === 'v1'
}

/** Of a group whose versions do not differ in what is read here. */
export function isObjectOf(object: Raw, group: string, kind: string): boolean {
  return (object.kind ?? kind) === kind && (object.apiVersion === undefined || textOf(object.apiVersion).startsWith(`${group}/`))
}

/** Canonical text, each address once; what is no address is left out. */
export function addressesOf(values: readonly unknown[]): readonly string[] {
  const distinct = new Set<string>()
  for (const value of values) {
    const address = parseAddress(textOf(value))
    if (address) distinct.add(addressText(address))
  }
  return distinct.size === 0 ? NONE : Object.freeze([...distinct])
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since 1970, of whole seconds rounded down as the API server writes them. A zero time (of Go, of Unix) is none. */
export function timeMsOf(value: unknown): number | undefined {
  const text = textOf(value)
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  return ms > 0 ? ms : undefined
}

/** Undefined when there is none. */
export function latestOf(times: Iterable<number | undefined>): number | undefined {
  let latest: number | undefined
  for (const ms of times) if (ms !== undefined && (latest === undefined || ms > latest)) latest = ms
  return latest
}
