// Keeps identity up to date: the node's own addresses as links change, and the inventory as its file changes.
import { loadInventory } from '../config/load.js'
import { renderMistakes } from '../config/mistakes.js'
import type { Deps } from '../deps.js'
import type { ChangingIdentity } from '../identity/identity.js'
import type { LinkWatch } from '../kernel/link-watch.js'
import type { Rtnetlink } from '../kernel/rtnetlink.js'
import type { Readings } from '../model.js'
import { untilAborted } from '../sources/source.js'

interface Parts {
  readonly identity: ChangingIdentity
  readonly file: string | null
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

/** Between two looks at a changed file: whoever writes it may be halfway. */
const SETTLE_MS = 100
const SHOWN_LINES = 4

export function createNames(
  { identity, file, environment, openLinks, rtnetlink }: Parts,
  { readFile, clock }: Pick<Deps, 'readFile' | 'clock'>,
): Names {
  let last: string | undefined
  let refused: { readonly text: string; readonly error: Error } | undefined
  let links: LinkWatch | undefined
  let isStale = true

  /** Word of a change comes once: it counts until the addresses could be read. */
  function followLinks(): void {
    links ??= openLinks()
    isStale ||= links.changed()
    if (isStale) identity.update({ addresses: rtnetlink.addresses().map(({ address }) => address) })
    isStale = false
  }

  async function followInventory(path: string, signal: AbortSignal): Promise<void> {
    const read = (): Promise<string> => untilAborted(readFile(path, signal), signal)
    const text = await read()
    if (text === last) return
    if (text === refused?.text) throw refused.error
    await clock.sleep(SETTLE_MS, signal)
    if ((await read()) === text) await adopt(path, text)
  }

  /** A text with mistakes is judged once. */
  async function adopt(path: string, text: string): Promise<void> {
    const loaded = await loadInventory(path, { environment, readFile: () => Promise.resolve(text) })
    if ('mistakes' in loaded) {
      refused = { text, error: new Error(shortened(renderMistakes([loaded.mistakes]).trim())) }
      throw refused.error
    }
    identity.update({ entries: loaded.entries })
    last = text
  }

  return {
    name: 'inventory',
    async read(signal) {
      followLinks()
      if (file !== null) await followInventory(file, signal)
      return NOTHING
    },
  }
}

function shortened(text: string): string {
  const lines = text.split('\n')
  return lines.length <= SHOWN_LINES ? text : [...lines.slice(0, SHOWN_LINES), `  and ${lines.length - SHOWN_LINES} more`].join('\n')
}
