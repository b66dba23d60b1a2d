// Keeps identity up to date: the node's own addresses as links change, and the inventory as its file changes.
import { loadInventory } from '../config/load.js'
import { renderMistakes } from '../config/mistakes.js'
import type { Deps } from '../deps.js'
import type { ChangingIdentity } from '../identity/identity.js'
import type { LinkWatch } from '../kernel/link-watch.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import type { Readings } from '../model.js'

interface Parts {
  readonly identity: ChangingIdentity
  readonly file: string | null
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly links: LinkWatch
  readonly rtnetlink: Pick<Rtnetlink, 'addresses'>
}

/** Read like a source, so that a broken inventory shows as one; what was known before stays in force. */
export interface Names {
  readonly name: string
  read(signal: AbortSignal): Promise<Readings>
}

const NOTHING: Readings = { readings: [], rejected: 0 }

export function createNames({ identity, file, environment, links, rtnetlink }: Parts, { readFile }: Pick<Deps, 'readFile'>): Names {
  let last: string | undefined

  async function followInventory(path: string, signal: AbortSignal): Promise<void> {
    const text = await readFile(path, signal)
    if (text === last) return
    const loaded = await loadInventory(path, { environment, readFile: () => Promise.resolve(text) })
    if ('mistakes' in loaded) throw new Error(renderMistakes([loaded.mistakes]).trim())
    identity.update({ entries: loaded.entries })
    last = text
  }

  return {
    name: 'inventory',
    async read(signal) {
      if (links.changed()) identity.update({ addresses: rtnetlink.addresses().map(({ address }) => address) })
      if (file !== null) await followInventory(file, signal)
      return NOTHING
    },
  }
}
