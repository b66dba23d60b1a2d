// Who an address is, as the test says; it may change at any time.
import type { Identity, Placement, Who } from '../../src/model.js'

export interface ModelIdentity extends Identity {
  /** A reading was posted: what was so meanwhile is over. */
  settle(): void
  readonly hasMeanwhile: boolean
  /** `meanwhile`: whose the bytes are that come before this is read; undefined: whose they were. */
  change(address: string, placement: Placement, meanwhile?: Placement, apart?: Apart): void
}

/** It is known by now who it was before a time, and who from then on. */
export interface Apart {
  readonly atMs: number
  readonly before: Placement
  readonly after: Placement
}

const who = (zone: string, region: string, name: string): Who => ({
  zone,
  region,
  namespace: 'shop',
  kind: 'Deployment',
  name,
  external: false,
})

export const UNKNOWN: Who = { zone: '_unknown', region: '', namespace: '_unknown', kind: '_unknown', name: '_unknown', external: false }
export const CART = who('a', 'r1', 'cart')
export const STOCK = who('b', 'r1', 'stock')
export const WEB = who('a', 'r1', 'web')
export const FAR = who('c', 'r2', 'web')
/** The labels of CART in another region: the same owner, another scope. */
const MOVED_CART = who('a', 'r2', 'cart')
export const INTERNET: Who = { zone: '', region: '', namespace: '', kind: 'External', name: 'internet', external: true }
export const WHOS: readonly Who[] = [CART, STOCK, WEB, FAR, MOVED_CART, INTERNET, UNKNOWN]

export const NOBODY: Placement = { who: UNKNOWN, local: 'unknown', covered: 'unknown' }

export function createModelIdentity(places: ReadonlyMap<string, Placement>): ModelIdentity {
  const placed = new Map(places)
  const meanwhiles = new Map<string, Placement>()
  const aparts = new Map<string, Apart>()
  let version = 1
  return {
    place: (address) => placed.get(address) ?? NOBODY,
    get version() {
      return version
    },
    zones: [
      { zone: 'a', region: 'r1' },
      { zone: 'b', region: 'r1' },
    ],
    placeSince: (address, before) => meanwhiles.get(address) ?? before ?? placed.get(address) ?? NOBODY,
    placeDuring(address, now, { fromMs, toMs }) {
      const apart = aparts.get(address)
      if (apart && toMs <= apart.atMs) return apart.before
      return apart && fromMs >= apart.atMs ? apart.after : now
    },
    settle() {
      meanwhiles.clear()
      aparts.clear()
    },
    get hasMeanwhile() {
      return meanwhiles.size > 0
    },
    change(address, placement, meanwhile, apart) {
      placed.set(address, placement)
      if (meanwhile) meanwhiles.set(address, meanwhile)
      else meanwhiles.delete(address)
      if (apart) aparts.set(address, apart)
      else aparts.delete(address)
      version++
    },
  }
}
