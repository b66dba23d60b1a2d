// Which replica counts what is counted once in a cluster: the one that has the Lease, as client-go elects leaders
// (k8s.io/client-go/tools/leaderelection), and as strict as clocks allow:
//   the holder     counts from before it sent a write that succeeded, and stops by itself RENEW_MS later
//   anybody else   waits until the Lease has not changed for LEASE_MS since it saw it last, by its own clock
// Times of others are never compared with ours, so clocks may show anything as long as they run equally fast. Two things are stricter than
// there. Whoever finds no Lease makes one, and waits as if it were another's: who had the one that was removed may not know yet. And a holder
// that was paused does not hold, since that is asked of the clock each time.
import { type ElectionLease, type LeaseStore, Overtaken } from '../cluster/election-lease.js'
import { microTimeOf } from '../cluster/leases.js'
import { within } from '../deadline.js'
import type { Deps } from '../deps.js'
import { fractionOf } from '../kube/backoff.js'

export interface Election {
  /** Now, and no longer than it takes to say so. */
  readonly holds: boolean
  /** What stands in the way of taking part; '' when nothing does. */
  readonly trouble: string
  /** Until aborted; then it lets go of the Lease. Never rejects. */
  run(signal: AbortSignal): Promise<void>
}

/** The time between two holders. One that could not renew for a while, and finds that nobody else had the Lease meanwhile, goes on with it. */
export interface Term {
  begin(): void
  end(): void
}

export interface ElectionParts {
  /** Nobody else has it, in this life or another. */
  readonly identity: string
  readonly store: LeaseStore
  readonly term: Term
}

export const LEASE_MS = 15_000
export const RENEW_MS = 10_000
const RETRY_MS = 2_000
/** Of the wait of whoever has it not, so that they do not all come at once. */
const JITTER = 1.2
/** A request that hangs leaves time for another before the holder has to stop. */
const ANSWER_MS = RENEW_MS / 2
const RELEASE_MS = 1_000
const NOT_YET = 'the Lease has not been read yet'
const NEVER = new AbortController().signal

export function createElection(
  { identity, store, term }: ElectionParts,
  { clock, log, random }: Pick<Deps, 'clock' | 'log' | 'random'>,
): Election {
  const { monotonic } = clock
  /** As it was when it changed last, and when we saw that. */
  let seen = { resourceVersion: '', atMs: 0 }
  /** As we wrote it. */
  let own: ElectionLease | undefined
  let heldUntilMs = Number.NEGATIVE_INFINITY
  let hasTerm = false
  let hasWritten = false
  let trouble = NOT_YET

  const holds = (): boolean => monotonic() < heldUntilMs

  function endTerm(): void {
    heldUntilMs = Number.NEGATIVE_INFINITY
    if (hasTerm) term.end()
    hasTerm = false
  }

  function look(found: ElectionLease | undefined): void {
    // After the answer: what was written before it is older than that.
    if (found && found.resourceVersion !== seen.resourceVersion) seen = { resourceVersion: found.resourceVersion, atMs: monotonic() }
    if (found === undefined || found.holder === identity || !hasTerm) return
    log.info('another replica has the Lease', { holder: found.holder })
    endTerm()
  }

  /** Ours without a term: made by us, or taken by a write whose answer was lost. */
  function mayTake({ holder }: ElectionLease): boolean {
    return holder === '' || (holder === identity && hasTerm) || monotonic() >= seen.atMs + LEASE_MS
  }

  function writeOver(over: ElectionLease | undefined, signal: AbortSignal): Promise<ElectionLease> {
    const isOurs = over?.holder === identity
    const acquireTime = isOurs ? over.acquireTime : microTimeOf(clock.now())
    const transitions = (over?.transitions ?? 0) + (over === undefined || isOurs ? 0 : 1)
    hasWritten = true
    return store.write({ holder: identity, acquireTime, transitions }, over, signal)
  }

  async function claim(signal: AbortSignal): Promise<void> {
    endTerm()
    look(await writeOver(undefined, signal))
  }

  async function take(over: ElectionLease | undefined, signal: AbortSignal): Promise<void> {
    const sentMs = monotonic()
    own = await writeOver(over, signal)
    heldUntilMs = sentMs + RENEW_MS
    // Nobody else can have had it since.
    if (hasTerm) return
    hasTerm = true
    log.info('this replica has the Lease, and counts endpoints', { identity })
    term.begin()
  }

  async function takePart(signal: AbortSignal): Promise<void> {
    try {
      if (own) return await take(own, signal)
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error
      own = undefined
    }
    const found = await store.read(signal)
    look(found)
    if (found === undefined && !holds()) await claim(signal)
    else if (found === undefined || mayTake(found)) await take(found, signal)
  }

  async function attempt(signal: AbortSignal): Promise<void> {
    try {
      await within(clock, { ms: ANSWER_MS, signal }, takePart)
      trouble = ''
    } catch (error) {
      if (error instanceof Overtaken || signal.aborted) return
      const { message } = error as Error
      if (message !== trouble) log.warn('cannot take part in who counts endpoints, trying again', { error: message })
      trouble = message
    }
  }

  /** Whoever has it not looks as soon as it may have expired. */
  function waitMs(): number {
    const expiresMs = seen.atMs + LEASE_MS - monotonic()
    const lookMs = holds() ? RETRY_MS : RETRY_MS * (1 + JITTER * fractionOf(random()))
    return expiresMs > 0 ? Math.min(lookMs, expiresMs) : lookMs
  }

  /** So that the next one need not wait. */
  async function release(): Promise<void> {
    endTerm()
    if (!hasWritten) return
    await within(clock, { ms: RELEASE_MS, signal: NEVER }, async (signal) => {
      const found = await store.read(signal)
      if (found?.holder === identity) await store.write({ ...found, holder: '' }, found, signal)
    }).catch((error: unknown) => log.debug('the Lease could not be let go, it will expire', { error: String(error) }))
  }

  return {
    get holds() {
      return holds()
    },
    get trouble() {
      return trouble
    },
    async run(signal) {
      while (!signal.aborted) {
        await attempt(signal)
        await clock.sleep(waitMs(), signal).catch(() => undefined)
      }
      await release()
    },
  }
}
