// Reads objects of the API server, as formats/raw.ts reads any: whatever is not of the shape asked for is as good as absent.

import { addressText } from '../../formats/address-text.js'
import { type Raw, textOf } from '../../formats/raw.js'
import { parseAddress } from '../address.js'

const NONE: readonly never[] = Object.freeze([])

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

/** Undefined when there is none. */
export function latestOf(times: Iterable<number | undefined>): number | undefined {
  let latest: number | undefined
  for (const ms of times) if (ms !== undefined && (latest === undefined || ms > latest)) latest = ms
  return latest
}
