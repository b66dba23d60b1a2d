// How far a byte went, from who sent it and who got it.
import type { Scope, Who } from '../model.js'

type Place = Pick<Who, 'zone' | 'region'>

const isKnown = (place: string): boolean => place !== '' && place !== '_unknown'

/** Regions are compared when both are known; zones when both are known and the regions do not differ. */
export function scopeOf(source: Who, destination: Who): Scope {
  if (destination.external) return 'to_external'
  return source.external ? 'from_external' : zoneScopeOf(source, destination)
}

export function zoneScopeOf(source: Place, destination: Place): Scope {
  const regions = isKnown(source.region) && isKnown(destination.region)
  if (regions && source.region !== destination.region) return 'cross_region'
  if (!isKnown(source.zone) || !isKnown(destination.zone)) return 'unknown'
  return source.zone === destination.zone ? 'same_zone' : 'cross_zone'
}
