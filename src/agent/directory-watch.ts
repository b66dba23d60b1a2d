// Asks the directory who the addresses are that were seen here, and hears of changes to them. Loaded only where there is a directory.
import type { Config } from '../config/fields.js'
import type { Deps } from '../deps.js'
import { doubtOf } from '../identity/doubt.js'
import type { NodeRange, TenancyChanges, Zone } from '../identity/tenancies.js'
import { attempted } from '../kube/attempt.js'
import { createBackoff } from '../kube/backoff.js'
import { createKubeClient, type KubeClient } from '../kube/client.js'
import { KubeError } from '../kube/kube-error.js'
import { linesOf } from '../kube/lines.js'
import { createTokenFile } from '../kube/token.js'
import type { LeftOff, Stretch } from '../model.js'
import { createDirectoryAsking } from './directory-asking.js'
import { type DirectoryLine, parseDirectoryLine } from './directory-lines.js'
import { createTold } from './told.js'

export interface DirectoryWatch {
  /** Until aborted; never rejects. */
  run(signal: AbortSignal): Promise<void>
  /** All that are of interest; what was asked for before and is not among them is dropped in the end. */
  ask(addresses: ReadonlySet<string>, signal: AbortSignal): Promise<void>
  /** Whether the directory has heard that this address is of interest; another function where one that was not is now. */
  readonly isAsked: (address: string) => boolean
  /** What was told since the last time. */
  take(): TenancyChanges
  /** Resolves when all was told for the first time. */
  readonly told: Promise<void>
  /** Of the nodes that were told of, whether their agents post what lives there; undefined until it was told. */
  readonly covers: ReadonlyMap<string, boolean> | undefined
  /** What stands in the way of hearing of changes at once; '' when nothing does. */
  readonly trouble: string
}

type WatchDeps = Pick<Deps, 'clock' | 'log' | 'random' | 'readFile'>

/** The directory says every 5 s that all is told. Who does not hear that for so long may have missed a change: less than `identity.handover`. */
const DOUBTFUL_MS = 12_000
/** A directory notices within 13 s that its own connection is dead: all it told is certain up to so long before it said so. */
const LATE_MS = 15_000
/** After this time without a word it is asked anew: later, since a directory that is asked by all at once only gets slower by being asked again. */
const SILENCE_MS = 30_000
const NOT_YET = 'the directory has not answered yet'
/** Far more than are seen for the first time between two questions. */
const MOST_DENIED = 20_000
/** Times that an address is not among those of interest before it is dropped; the agent asks every second. */
const DROP_AFTER = 600

interface DirectoryWatchParts {
  readonly node: string
  readonly directory: Config['kubernetes']['directory']
  readonly leftOff?: Pick<LeftOff, 'addresses'> | undefined
}

/** Rejects where the authority of its certificate cannot be read. */
export async function createDirectoryWatch(
  { node, directory, leftOff }: DirectoryWatchParts,
  deps: WatchDeps,
  signal: AbortSignal,
): Promise<DirectoryWatch> {
  const { url, caFile, insecure, tokenFile } = directory
  const ca = caFile === null ? undefined : await deps.readFile(caFile, signal)
  const token = createTokenFile(tokenFile, deps)
  const connect = (): KubeClient => createKubeClient({ server: url ?? '', ca, insecure, token, connections: 1 }, deps)
  const client = connect()
  const asking = createDirectoryAsking(connect)
  const backoff = createBackoff(deps.random)
  /** By address, how often it was not of interest since it was. */
  const asked = new Map((leftOff?.addresses ?? []).map((address) => [address, 0]))
  /** Of those, what the directory may not have heard of. */
  let unheardOf: ReadonlySet<string> = new Set()
  let isAsked = createIsAsked()
  const covers = new Map<string, boolean>()
  const told = createTold()
  let ranges: readonly NodeRange[] = []
  let zones: readonly Zone[] | undefined
  let haveRangesChanged = false
  let unheard: readonly Stretch[] = []
  let session = ''
  /** A watch was asked for with all that was of interest then, and has no session yet. */
  let isOpening = false
  let last = { instance: '', revision: 0 }
  let isTold = false
  let sayTold: () => void = () => undefined
  const firstTold = new Promise<void>((resolve) => {
    sayTold = resolve
  })
  let trouble = NOT_YET
  let watching = new AbortController()
  /** When it last said that all is told. A watch that ends before has told nothing for certain, nor has a directory that is deaf itself. */
  let allToldMs = 0
  /** What was told before is certain up to here, by the clock that never jumps. */
  let certainAtMs: number | undefined

  function createIsAsked() {
    const has = (address: string): boolean => asked.has(address) && !unheardOf.has(address)
    const denied = new Set<string>()
    return {
      is(address: string): boolean {
        const known = has(address)
        if (!known && denied.size < MOST_DENIED) denied.add(address)
        return known
      },
      hasChanged: () => [...denied].some(has),
    }
  }

  /** By the clock of now, and not later by any that it was of late. */
  function certainMs(): number {
    const { now, monotonic } = deps.clock
    const nowMs = now()
    return certainAtMs === undefined ? 0 : nowMs - (monotonic() - certainAtMs) - doubtOf(deps.clock)
  }

  function hear(line: DirectoryLine): void {
    if (line.session) begin(line)
    else if (line.unheard) unheard = [...unheard, ...line.unheard]
    for (const { name, covers: does } of line.nodes) covers.set(name, does)
    told.keep(line.tenancies)
    if (line.ranges.length > 0) keepRanges(line.ranges)
    zones = line.zones ?? zones
    if (line.revision !== undefined && !line.session) settle(line.revision)
  }

  /** What this directory has missed since it was last heard; of what another one has, this one or the one before told the rest. */
  function miss(stretches: readonly Stretch[], isSame: boolean): void {
    // A watch that ended before all was told has told nothing, and what the process before heard is not known here.
    const knownMs = isTold ? certainMs() : 0
    const late = stretches.filter(({ toMs }) => toMs > knownMs)
    unheard = [...unheard, ...late.map(({ fromMs, toMs }) => ({ fromMs: isSame ? fromMs : Math.max(fromMs, knownMs), toMs }))]
  }

  function begin(line: DirectoryLine): void {
    session = line.session
    isOpening = false
    const isSame = line.instance === last.instance
    miss(line.unheard ?? (isSame ? [] : [{ fromMs: 0, toMs: deps.clock.now() }]), isSame)
    if (!isSame) last = { instance: line.instance, revision: 0 }
    if (line.revision === 0) told.beginAnew(certainMs())
    // What is told from here on is true by now, though it may never be said that it is all.
    if (!isTold) certainAtMs = deps.clock.monotonic() - LATE_MS
  }

  function keepRanges(more: readonly NodeRange[]): void {
    ranges = [...ranges.filter(({ cidr }) => more.every((one) => one.cidr !== cidr)), ...more]
    haveRangesChanged = true
  }

  /** All up to this revision was told. */
  function settle(revision: number): void {
    told.settle()
    last = { ...last, revision }
    allToldMs = deps.clock.monotonic()
    certainAtMs = deps.clock.monotonic() - LATE_MS
    isTold = true
    sayTold()
    trouble = ''
    backoff.reset()
  }

  async function watch(signal: AbortSignal): Promise<void> {
    isOpening = true
    const body = { node, addresses: [...asked.keys()], ...last }
    const response = await client.request('/v1/watch', { method: 'POST', body, gzip: true, idleMs: SILENCE_MS, signal })
    for await (const line of linesOf(response.body)) {
      deps.clock.pulse?.look()
      signal.throwIfAborted()
      hear(parseDirectoryLine(line))
    }
    throw new Error('the directory ended the watch')
  }

  /** Lines that waited while this process stood still say nothing of now: those after the last one that was read are asked for anew. */
  function beginAnew(error: Error): void {
    trouble ||= error.message
    watching.abort(error)
  }

  /** Resolves with the time to wait before the next one. */
  async function watchOnce(all: AbortSignal): Promise<number> {
    watching = new AbortController()
    const error = await attempted(watching, all, watch).catch((reason: unknown) => reason as Error)
    session = ''
    isOpening = false
    if (watching.signal.aborted) return 0
    trouble = `the directory ${client.server} cannot be asked: ${(error as Error).message}`
    return backoff.nextMs(error instanceof KubeError ? error.retryAfterMs : undefined)
  }

  const isSilent = (): boolean => deps.clock.monotonic() - allToldMs > DOUBTFUL_MS

  function wishOf(addresses: ReadonlySet<string>): { readonly add: readonly string[]; readonly drop: readonly string[] } {
    const add = [...addresses].filter((address) => !asked.has(address))
    for (const [address, times] of asked) asked.set(address, addresses.has(address) ? 0 : times + 1)
    const drop = [...asked].flatMap(([address, times]) => (times > DROP_AFTER ? [address] : []))
    for (const address of add) asked.set(address, 0)
    for (const address of drop) asked.delete(address)
    if (drop.length > 0) told.forget((address) => asked.has(address))
    return { add, drop }
  }

  async function tellOf(add: readonly string[], drop: readonly string[], signal: AbortSignal): Promise<void> {
    unheardOf = new Set(add)
    await asking
      .tell(() => ({ session, add, drop }), signal)
      .catch((error: unknown) => {
        for (const address of add) asked.delete(address)
        throw error
      })
    unheardOf = new Set()
  }

  return {
    async run(signal) {
      signal.addEventListener('abort', () => void Promise.allSettled([client.close(), asking.close()]), { once: true })
      const forget = deps.clock.pulse?.onStop(beginAnew)
      while (!signal.aborted) {
        const waitMs = await watchOnce(signal)
        if (waitMs > 0) await deps.clock.sleep(waitMs, signal).catch(() => undefined)
      }
      forget?.()
    },
    async ask(addresses, signal) {
      // What comes to mind only now would be in neither.
      if (isOpening) return
      const { add, drop } = wishOf(addresses)
      // Without a session the next watch asks for all, and has to be told all: one that goes on is told only what has changed.
      if (session === '' && add.length > 0) last = { ...last, revision: 0 }
      if (session !== '' && add.length + drop.length > 0) await tellOf(add, drop, signal)
      if (isAsked.hasChanged()) isAsked = createIsAsked()
    },
    get isAsked() {
      return isAsked.is
    },
    take() {
      const taken = { tenancies: told.take(), ranges: haveRangesChanged ? ranges : undefined, zones, unheard }
      haveRangesChanged = false
      zones = undefined
      unheard = []
      return taken
    },
    told: firstTold,
    get covers() {
      return isTold ? covers : undefined
    },
    get trouble() {
      if (trouble || !isSilent()) return trouble
      return `the directory ${client.server} has not said for ${DOUBTFUL_MS / 1000} s that it knows of all changes`
    },
  }
}
