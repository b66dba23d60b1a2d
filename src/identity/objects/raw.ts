// Reads objects of the API server, as formats/raw.ts reads any: whatever is not of the shape asked for is as good as absent.
import { addressText } from '../../formats/address-text.js'
import { fieldsOf, type Raw, textOf } from '../../formats/raw.js'
import { parseAddress } from '../address.js'

const NONE: readonly never[] = Object.freeze([])

/** What is no text, or an empty one, is left out. */
export function textsOf(values: readonly unknown[]): readonly string[] {
  const texts = values.map(textOf).filter(Boolean)
  return texts.length === 0 ? NONE : Object.freeze(texts)
}

/** What all objects have; `''` and an empty part where this one has it not. */
export interface ObjectParts {
  readonly metadata: Raw
  readonly spec: Raw
  readonly status: Raw
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

/** Undefined where it is no such object, or has no name. `group`: `''` is the core group. */
export function objectOf(raw: unknown, kind: string, group = ''): ObjectParts | undefined {
  const object = fieldsOf(raw)
  const [metadata, spec, status] = [fieldsOf(object.metadata), fieldsOf(object.spec), fieldsOf(object.status)]
  const [uid, namespace, name] = [textOf(metadata.uid), textOf(metadata.namespace), textOf(metadata.name)]
  return isOf(object, kind, group) && name !== '' ? { metadata, spec, status, uid, namespace, name } : undefined
}

/**
 * Objects of a list do not say what they are; those that do must say it right (Knative has a Service as well). Versions of a group other
 * than the core do not differ in what is read here.
 */
function isOf(object: Raw, kind: string, group: string): boolean {
  const { kind: said = kind, apiVersion } = object
  return said === kind && (apiVersion === undefined || (group === '' ? apiVersion === 'v1' : textOf(apiVersion).startsWith(`${group}/`)))
}

/** Canonical text, each address once; what is no address is left out. */
export function addressesOf(values: readonly unknown[]): readonly string[] {
  const distinct = new Set<string>()
  for (const value of values) {
    const read = textOf(value)
    const address = parseAddress(read)
    const text = address && addressText(address)
    // What was read is in one piece, which takes half of what was added up.
    if (text !== undefined) distinct.add(text === read ? read : text)
  }
  return distinct.size === 0 ? NONE : Object.freeze([...distinct])
}

/** Undefined when there is none. */
export function latestOf(times: Iterable<number | undefined>): number | undefined {
  let latest: number | undefined
  for (const ms of times) if (ms !== undefined && (latest === undefined || ms > latest)) latest = ms
  return latest
}
