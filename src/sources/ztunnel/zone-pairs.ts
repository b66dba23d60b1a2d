// Pairs of zones as ztunnel names them -> labels, of the same two always the same object. A name that cannot be a Kubernetes label is none, so that
// nobody can write `_other`; of more pairs than a family has series all further ones are one.
import type { Labels } from '../../model.js'
import { bytes } from './families.js'

export interface ZonePairs {
  of(from: string | undefined, to: string | undefined): Labels
}

const LABEL = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const OTHER = '_other'

export function createZonePairs(): ZonePairs {
  const known = new Map<string, Labels>()
  return {
    of(from, to) {
      const labels = { src_zone: zoneOf(from), dst_zone: zoneOf(to) }
      const key = keyOf(labels)
      const pair = known.get(key)
      if (pair) return pair
      if (known.size >= bytes.limit) return FOLDED
      const added = Object.freeze(labels)
      known.set(key, added)
      return added
    },
  }
}

/** Of those that are too many. */
export const FOLDED: Labels = Object.freeze({ src_zone: OTHER, dst_zone: OTHER })

const keyOf = ({ src_zone, dst_zone }: Record<'src_zone' | 'dst_zone', string>): string => `${src_zone} ${dst_zone}`

/** `unknown` is what ztunnel says of what it does not know. A part of a string keeps all of it in memory, hence a copy. */
const zoneOf = (name = ''): string => (name === 'unknown' || !LABEL.test(name) ? '_unknown' : Buffer.from(name).toString())
