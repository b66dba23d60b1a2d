// What sources share: how a row, an absent thing and an aborted read look.
import type { Family, Labels, ValueReading } from '../model.js'

/** Labels of the owner that a reading's pod has: the source knows the pod, who owns it is found out behind it. */
export const OWNER_LABELS = ['owner_zone', 'owner_namespace', 'owner_kind', 'owner_name'] as const

/** A bad row costs one row: `rejected` counts those that could not be understood. */
export interface Parsed<T> {
  readonly rows: readonly T[]
  readonly rejected: number
}

/** What a source reads does not exist on this node: no fault, said once. */
export class NotHere extends Error {
  override readonly name = 'NotHere'
}

/**
 * Labels of an owner, and those behind them, as one. Of the same two objects always the same one, which is cheaper, and by which others know what
 * they know of it.
 */
export function createJoin(): (owner: Labels, labels: Labels) => Labels {
  const known = new WeakMap<Labels, WeakMap<Labels, Labels>>()
  return (owner, labels) => {
    const ofOwner = known.get(owner) ?? new WeakMap<Labels, Labels>()
    const joined = ofOwner.get(labels) ?? Object.freeze({ ...owner, ...labels })
    known.set(owner, ofOwner.set(labels, joined))
    return joined
  }
}

export function readingOf(family: Family, labels: Labels, value: number): ValueReading {
  return { kind: 'value', family, labels, value }
}

/** ENOENT and the like: the path leads nowhere. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
