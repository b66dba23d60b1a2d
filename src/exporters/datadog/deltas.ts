// What came since it was last taken, of running totals: by the key of each single series, before any are added up.
import { hash } from 'node:crypto'
import type { Family, Labels } from '../../model.js'
import type { Mark } from './marks.js'

/** Whose total it is: what we add up ourselves counts from its beginning when it is first seen, what others do from then on. */
export type Origin = 'own' | 'foreign'

/** `first`: of one that is seen for the first time. A total that began anew counts from zero, as does one that fell and does not say since when it counts. */
export function deltaOf(mark: Mark | undefined, now: Mark, first: 'counts' | 'is where it begins'): number {
  if (!mark) return first === 'counts' ? now.value : 0
  if (hasGoneBack(mark, now)) return 0
  if (mark.sinceMs !== now.sinceMs || now.value < mark.value) return now.value
  return now.value - mark.value
}

/** It counts on from an earlier state of its own, as after a power cut: up to its mark it comes by what was taken once more. */
export const hasGoneBack = (mark: Mark | undefined, now: Mark): boolean =>
  mark !== undefined && now.sinceMs !== 0 && mark.sinceMs === now.sinceMs && now.value < mark.value

/** Of a histogram: its sum, or how many fell into the bucket that ends there and into none before. */
export type Part = 'sum' | number | undefined

export interface Keys {
  of(family: Family, labels: Labels, part?: Part): string
}

const FAMILY_LENGTH = 6
const LABELS_LENGTH = 16

/** Digests of 132 bits: 100,000 series by their names would take 40 MB, on disk and in memory. */
export function createKeys(): Keys {
  const families = new Map<string, { readonly key: string; readonly kept: WeakMap<Labels, string> }>()

  function familyOf(name: string) {
    const known = families.get(name)
    if (known) return known
    const made = { key: familyKeyOf(name), kept: new WeakMap<Labels, string>() }
    families.set(name, made)
    return made
  }

  return {
    of(family, labels, part) {
      const { key, kept } = familyOf(family.name)
      const whole =
        kept.get(labels) ?? flat(key + digestOf(JSON.stringify(family.labels.map((name) => labels[name]))).slice(0, LABELS_LENGTH))
      kept.set(labels, whole)
      return part === undefined ? whole : `${whole} ${part}`
    },
  }
}

export const familyKeyOf = (name: string): string => digestOf(name).slice(0, FAMILY_LENGTH)
/** Of the family that a key is of. */
export const familyIn = (key: string): string => key.slice(0, FAMILY_LENGTH)

/** Which part of a histogram it is of. */
export function partIn(key: string): Part {
  const [, part] = key.split(' ')
  return part === undefined || part === 'sum' ? part : Number(part)
}

const digestOf = (text: string): string => hash('sha256', text, 'base64url')

/** What is put together keeps its parts in memory, and what they were cut out of. */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
