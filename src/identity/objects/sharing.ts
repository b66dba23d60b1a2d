// One copy of what equals: pods of one node, and of one ReplicaSet, would hold many of the same texts otherwise.
import type { OwnerReference } from './owner-reference.js'

export interface Sharing {
  text(text: string): string
  reference(reference: OwnerReference): OwnerReference
}

/** Past `limit` all are forgotten and shared anew as they come: that costs memory only. */
export function createSharing(limit: number): Sharing {
  const texts = new Map<string, string>()
  const references = new Map<string, OwnerReference>()
  const kept = <T>(known: Map<string, T>, key: string, value: T): T => {
    if (known.size >= limit) known.clear()
    known.set(key, value)
    return value
  }
  return {
    text: (text) => texts.get(text) ?? kept(texts, text, text),
    reference(reference) {
      const known = references.get(reference.uid)
      return known && isSame(known, reference) ? known : kept(references, reference.uid, reference)
    },
  }
}

/** Of equal uids: a version may change, and a hostile server may say anything. */
function isSame(one: OwnerReference, other: OwnerReference): boolean {
  return one.apiVersion === other.apiVersion && one.kind === other.kind && one.name === other.name
}

export const UNSHARED: Sharing = Object.freeze({
  text: (text: string) => text,
  reference: (reference: OwnerReference) => reference,
})
