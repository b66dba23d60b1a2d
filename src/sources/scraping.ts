// Asks many targets, such as the proxies of a node, again and again: each at its own moment of the interval, always the same one, and few at a
// time. One that does not answer costs the others nothing: those that failed the last time wait for each other, and for nobody else.
import { untilAborted, within } from '../deadline.js'
import type { Clock, Log } from '../deps.js'
import type { Labels, OfPod } from '../model.js'
import { createSlots } from '../slots.js'

/** What is asked, over plain HTTP. */
export interface Target {
  /** Nothing else ever has it: a pod's uid, or the URL where one is configured. */
  readonly name: string
  /** Undefined: it has no address yet. */
  readonly url: string | undefined
  readonly pod?: OfPod
  /** When its pod began, where that is known. */
  readonly startedMs?: number | undefined
  /** Of its owner, where there is no pod that has one. */
  readonly labels: Labels
}

export interface Scraped<T> {
  readonly target: Target
  /** What it said the last time; undefined where it was not asked yet, or did not answer. */
  readonly said: T | undefined
  /** Why it did not, in words that are the same for all who fail alike. */
  readonly failure: string | undefined
  /** How often in a row. */
  readonly failures: number
}

/** Rejects with what is the reason of a failure. */
export type Ask<T> = (target: Target & { readonly url: string }, signal: AbortSignal) => Promise<T>

export interface ScrapingParts<T> {
  /** Of the source, in the log. */
  readonly name: string
  readonly intervalMs: number
  /** All there are now. */
  readonly targets: () => Iterable<Target>
  readonly ask: Ask<T>
  /** It is not asked any more. */
  readonly leave?: (target: Target) => void
}

export interface Scraping<T> {
  /** Asks each in its time, until aborted. */
  run(signal: AbortSignal): Promise<void>
  /** Asks those that were never asked, and waits for them a while; then what each of them said last. */
  read(signal: AbortSignal): Promise<readonly Scraped<T>[]>
}

interface Entry<T> {
  target: Target
  said: T | undefined
  failure: string | undefined
  /** In a row. */
  failures: number
  isAsked: boolean
  dueMs: number
  asking: Promise<void> | undefined
}

const TICK_MS = 500
/** Who answers does so within milliseconds. */
const FIRST_ANSWERS_MS = 2_000
const AT_ONCE = 32
/** Those that failed the last time. */
const DOUBTFUL_AT_ONCE = 8
/** Whoever comes up or goes down may fail once. */
const SAID_AFTER = 2

export function createScraping<T>(parts: ScrapingParts<T>, { clock, log }: { readonly clock: Clock; readonly log: Log }): Scraping<T> {
  const { name, intervalMs, ask, leave } = parts
  const entries = new Map<string, Entry<T>>()
  const [slots, doubtfulSlots] = [createSlots(AT_ONCE), createSlots(DOUBTFUL_AT_ONCE)]
  const troubles = createTroubles(name, log)
  let life: AbortSignal | undefined

  /** As they are now: those that are gone are left. */
  function look(): void {
    const gone = new Set(entries.keys())
    for (const target of parts.targets()) {
      const known = entries.get(target.name)
      gone.delete(target.name)
      if (known && known.target.url !== target.url) leave?.(known.target)
      if (known) known.target = target
      else entries.set(target.name, entryOf(target, nextDueMs(target.name, intervalMs, clock.monotonic())))
    }
    for (const key of gone) {
      leave?.((entries.get(key) as Entry<T>).target)
      entries.delete(key)
    }
  }

  async function askOne(entry: Entry<T>, signal: AbortSignal): Promise<void> {
    const { url } = entry.target
    if (url === undefined) return
    try {
      entry.said = await ask({ ...entry.target, url }, signal)
      entry.failure = undefined
      entry.failures = 0
    } catch (error) {
      if (signal.aborted) return
      entry.said = undefined
      entry.failure = error instanceof Error ? error.message : String(error)
      entry.failures++
    }
    entry.isAsked = true
  }

  function begin(entry: Entry<T>, signal: AbortSignal): Promise<void> {
    const { failures } = entry
    entry.asking ??= (failures > 0 ? doubtfulSlots : slots)(() => askOne(entry, signal)).finally(() => {
      entry.asking = undefined
    })
    return entry.asking
  }

  function beginDue(signal: AbortSignal): void {
    look()
    const nowMs = clock.monotonic()
    for (const entry of entries.values()) {
      if (entry.dueMs > nowMs || entry.target.url === undefined) continue
      entry.dueMs = nextDueMs(entry.target.name, intervalMs, nowMs)
      void begin(entry, signal)
    }
  }

  return {
    async run(signal) {
      life = signal
      while (!signal.aborted) {
        beginDue(signal)
        await clock.sleep(TICK_MS, signal).catch(() => undefined)
      }
    },
    async read(signal) {
      signal.throwIfAborted()
      look()
      const unasked = [...entries.values()].filter(({ isAsked, target }) => !isAsked && target.url !== undefined)
      // They are waited for no longer than a read may take, and go on.
      const answers = Promise.all(unasked.map((entry) => begin(entry, life ?? signal)))
      await within(clock, { ms: FIRST_ANSWERS_MS, signal }, (limited) => untilAborted(answers, limited)).catch(() => undefined)
      signal.throwIfAborted()
      const scraped = [...entries.values()]
      troubles.say(scraped)
      return scraped.map(({ target, said, failure, failures }) => ({ target, said, failure, failures }))
    },
  }
}

function entryOf<T>(target: Target, dueMs: number): Entry<T> {
  return { target, said: undefined, failure: undefined, failures: 0, isAsked: false, dueMs, asking: undefined }
}

/** The next moment after `nowMs` that is this target's. */
export function nextDueMs(name: string, intervalMs: number, nowMs: number): number {
  const phaseMs = Math.floor((hashOf(name) / 2 ** 32) * intervalMs)
  return (Math.floor((nowMs - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs
}

/** FNV-1a, and the last step of murmur3: names that are alike come to lie apart. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Rejects a read where nobody who can be asked answers. `who`: of whom; `does`: what none of them does. */
export function refuseWhereAllFail(scraped: readonly Scraped<unknown>[], { who, does = 'answers', where = placeOf }: Refusal): void {
  const failed = scraped.filter(({ failures }) => failures >= SAID_AFTER)
  const [first] = failed
  if (!first || failed.length < scraped.filter(({ target }) => target.url !== undefined).length) return
  throw new Error(`none of ${failed.length} asked ${who} ${does}, such as ${where(first.target)}: ${first.failure}`)
}

interface Refusal {
  readonly who: string
  readonly does?: string
  readonly where?: (target: Target) => string
}

/** Where it is, in a message. */
export const placeOf = ({ url = '' }: Target): string => url.replace(/\?.*/, '')

type Troubled = Pick<Entry<unknown>, 'target' | 'failure' | 'failures'>

/** Says each reason once, when it begins and when it ends, however many there are. */
function createTroubles(source: string, log: Log): { say(entries: readonly Troubled[]): void } {
  let said: ReadonlyMap<string, readonly Target[]> = new Map()
  return {
    say(entries) {
      const now = byReason(entries, said)
      for (const [reason, targets] of now)
        if (!said.has(reason))
          log.warn('targets do not answer', { source, reason, targets: targets.length, first: targets[0] && placeOf(targets[0]) })
      const failing = new Set(entries.flatMap(({ target, failures }) => (failures > 0 ? [target.name] : [])))
      for (const [reason, targets] of said) {
        // Those that fail in another way for now may be back with this one the next time.
        const still = targets.filter(({ name }) => failing.has(name))
        if (!now.has(reason) && still.length > 0) now.set(reason, still)
        else if (!now.has(reason)) log.info('targets answer again', { source, reason })
      }
      said = now
    },
  }
}

function byReason(entries: readonly Troubled[], said: { has(reason: string): boolean }): Map<string, Target[]> {
  const found = new Map<string, Target[]>()
  for (const { target, failure, failures } of entries) {
    if (failure === undefined || (failures < SAID_AFTER && !said.has(failure))) continue
    found.set(failure, [...(found.get(failure) ?? []), target])
  }
  return found
}
