// Keeps identity up to date: the node's own addresses as links change, and the inventory as its file changes.
import type { Inventory } from '../config/load.js'
import type { ChangingIdentity } from '../identity/identity.js'
import type { LinkWatch } from '../kernel/link-watch.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import type { Readings } from '../model.js'
import { createPauses } from '../pauses.js'
import { createInventoryFile, type InventoryFileDeps } from './inventory-file.js'

interface Parts {
  readonly identity: ChangingIdentity
  readonly file: string | null
  /** As it was at the start. */
  readonly inventory: Inventory
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Opened when first needed: without netlink all else works still. */
  readonly openLinks: () => LinkWatch
  readonly rtnetlink: Pick<Rtnetlink, 'addresses'>
}

/** Read like a source, so that a broken inventory shows as one; what was known before stays in force. */
export interface Names {
  readonly name: string
  read(signal: AbortSignal): Promise<Readings>
}

const NOTHING: Readings = { readings: [], rejected: 0 }

export function createNames({ identity, file, inventory, environment, openLinks, rtnetlink }: Parts, deps: InventoryFileDeps): Names {
  const followed = file === null ? undefined : createInventoryFile({ path: file, environment, text: inventory.text }, deps)
  const { pause } = createPauses(deps.clock)
  let links: LinkWatch | undefined
  let hasBegun = false
  let isStale = true

  /** Word of a change comes once: it counts until the addresses could be read. */
  async function followLinks(): Promise<void> {
    links ??= openLinks()
    isStale ||= links.changed()
    if (isStale) await identity.update({ addresses: rtnetlink.addresses().map(({ address }) => address) }, pause)
    isStale = false
  }

  return {
    name: 'inventory',
    async read(signal) {
      if (!hasBegun) await identity.update({ entries: inventory.entries }, pause)
      hasBegun = true
      await followLinks()
      const entries = await followed?.read(signal)
      if (entries) await identity.update({ entries }, pause)
      return NOTHING
    },
  }
}
