// What a byte costs by how far it goes: all sides that are billed for it together, in dollars per byte of 10^9-byte gigabytes.
import type { Scope } from '../model.js'

export interface PriceOptions {
  readonly provider: 'aws' | 'gcp' | 'azure' | 'none'
  readonly crossZonePerGB: number
  readonly crossZoneSides: number
  readonly crossRegionPerGB: number
  readonly toExternalPerGB: number
  readonly fromExternalPerGB: number
}

const GB = 1e9

/** Google bills the sender alone, Azure nobody. */
const MAX_SIDES = { aws: 2, gcp: 1, azure: 0, none: 0 }

/** `unknown` has no price: it is not known to be free. */
export function pricesOf(options: PriceOptions): Readonly<Partial<Record<Scope, number>>> {
  if (options.provider === 'none') return {}
  const sides = Math.min(options.crossZoneSides, MAX_SIDES[options.provider])
  return {
    same_zone: 0,
    cross_zone: perByte(options.crossZonePerGB * sides),
    cross_region: perByte(options.crossRegionPerGB),
    to_external: perByte(options.toExternalPerGB),
    from_external: perByte(options.fromExternalPerGB),
  }
}

/** Without the noise of binary fractions: 2e-11, not 2.0000000000000002e-11. */
const perByte = (perGB: number): number => Number((perGB / GB).toPrecision(12))
