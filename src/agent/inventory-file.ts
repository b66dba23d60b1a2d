// Follows the file of the inventory. A text is judged once, and nobody waits long for it: until then what was known before stays in force.
// A judgement goes on when the file changes meanwhile: one that is rewritten more often than it is judged would never be taken.
import type { ParseInventory } from '../config/inventory.js'
import { type LoadedInventory, loadInventory } from '../config/load.js'
import { type Mistakes, renderMistakes } from '../config/mistakes.js'
import { TimedOut, untilAborted, within } from '../deadline.js'
import type { Deps } from '../deps.js'
import type { InventoryEntry } from '../model.js'

export interface InventoryFileParts {
  readonly path: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What it said when it was last read. */
  readonly text: string
}

export interface InventoryFileDeps extends Pick<Deps, 'readFile' | 'clock'> {
  readonly parseInventory: ParseInventory
}

export interface InventoryFile {
  /** The entries, once for each change; undefined while there is nothing new. Rejects with what is wrong with the file as it is. */
  read(signal: AbortSignal): Promise<readonly InventoryEntry[] | undefined>
}

interface Judging {
  readonly text: string
  readonly loaded: Promise<LoadedInventory>
  readonly stopping: AbortController
}

interface Refused {
  readonly text: string
  readonly error: unknown
  readonly untilMs: number
}

/** Between two looks at a changed file: whoever writes it may be halfway. */
const SETTLE_MS = 100
/** A thousand entries in YAML are judged within it. */
const WAIT_MS = 500
/** A text that could not be judged, for want of a thread say, may be another time. */
const AGAIN_AFTER_MS = 60_000
const SHOWN_MISTAKES = 3
const MEANWHILE = 'until it is right, what was known before stays in force'

export function createInventoryFile(parts: InventoryFileParts, { readFile, parseInventory, clock }: InventoryFileDeps): InventoryFile {
  const { path, environment } = parts
  let last = parts.text
  let judging: Judging | undefined
  let refused: Refused | undefined

  function judge(text: string): Judging {
    const stopping = new AbortController()
    const surroundings = { environment, readFile: () => Promise.resolve(text), parseInventory }
    return { text, loaded: loadInventory(path, surroundings, stopping.signal), stopping }
  }

  /** What is in force is there again: nothing else is to be known. */
  function settled(): undefined {
    judging?.stopping.abort()
    judging = undefined
    refused = undefined
  }

  /** Until the next verdict the last one stands. */
  function undecided(): undefined {
    if (refused) throw refused.error
  }

  function refuse(text: string, error: unknown, untilMs: number): never {
    refused = { text, error, untilMs }
    throw error
  }

  /** Undefined when it takes longer. */
  function soon<T>(waitedFor: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const limited: Promise<T | undefined> = within(clock, { ms: WAIT_MS, signal }, (until) => untilAborted(waitedFor, until))
    return limited.catch((error: unknown) => {
      if (error instanceof TimedOut) return undefined
      throw error
    })
  }

  async function verdictOn({ text, loaded }: Judging, signal: AbortSignal): Promise<readonly InventoryEntry[] | undefined> {
    const verdict = await soon(loaded, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      judging = undefined
      return refuse(text, error, clock.monotonic() + AGAIN_AFTER_MS)
    })
    if (!verdict) return undecided()
    judging = undefined
    if ('mistakes' in verdict) return refuse(text, new Error(shown(verdict.mistakes)), Number.POSITIVE_INFINITY)
    last = text
    refused = undefined
    return verdict.entries
  }

  return {
    async read(signal) {
      const look = (): Promise<string> => untilAborted(readFile(path, signal), signal)
      const text = await look()
      if (text === last) return settled()
      if (!judging) {
        if (text === refused?.text && clock.monotonic() < refused.untilMs) throw refused.error
        await clock.sleep(SETTLE_MS, signal)
        if ((await look()) !== text) return undecided()
        judging = judge(text)
      }
      return verdictOn(judging, signal)
    },
  }
}

const shown = (mistakes: Mistakes): string => `${renderMistakes([mistakes], { most: SHOWN_MISTAKES })}  ${MEANWHILE}`
