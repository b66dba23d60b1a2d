// What else goes on in this network namespace: devices, and whether anything rewrites sources.
import type { Deps } from '../../deps.js'
import type { Nftables } from '../../kernel/nftables.js'
import type { Link, Rtnetlink } from '../../kernel/rtnetlink.js'
import { isMissing } from '../source.js'
import type { Mode } from './layout.js'
import { hasNatTable, isTunnel, modeFor, type Traces } from './mode.js'

export interface Sight extends Traces {
  readonly links: readonly Link[]
  readonly mode: Mode
}

export interface Surroundings {
  look(): Promise<Sight>
  /** Tunnels only, as far as devices tell. */
  lookAtLinks(): Sight
}

// `thread-self`: /proc/net is that of the main thread, which may be inside a pod's namespace just when another thread opens the file.
const LEGACY_TABLES = ['/proc/thread-self/net/ip_tables_names', '/proc/thread-self/net/ip6_tables_names']

interface Parts {
  readonly nft: Nftables
  readonly rtnetlink: Rtnetlink
  readonly readFile: Deps['readFile']
  readonly kubernetes: boolean
}

export function createSurroundings({ nft, rtnetlink, readFile, kubernetes }: Parts): Surroundings {
  let nat = false

  const sight = (): Sight => {
    const links = rtnetlink.links()
    const tunnels = links.filter(isTunnel)
    const tunnelled = tunnels.some(({ txBytes, rxBytes }) => txBytes + rxBytes > 0)
    return { links, mode: modeFor({ kubernetes, nat, tunnels }), translated: nat, tunnelled }
  }
  // What was once rewritten may be in connection tracking for days: NAT that went is not forgotten.
  const findNat = async (): Promise<boolean> => kubernetes || nat || nft.hasNatChains() || (await hasLegacyNat(readFile))

  return {
    async look() {
      nat = await findNat()
      return sight()
    },
    lookAtLinks: sight,
  }
}

/** A list that may not be read counts as one with NAT in it: it costs time and loses nothing. */
async function hasLegacyNat(readFile: Deps['readFile']): Promise<boolean> {
  const lists = LEGACY_TABLES.map(async (path) => {
    try {
      return hasNatTable(await readFile(path))
    } catch (error) {
      return !isMissing(error)
    }
  })
  return (await Promise.all(lists)).some(Boolean)
}
