// What waits is sent, one batch after the other, each until it is settled. What was attempted is only ever sent again as it is: the intake
// keeps the last value of a series and second, so the same once more changes nothing, whatever became of the attempt before.
import type { Clock, Log } from '../../deps.js'
import { type Encoding, renderBody } from './body.js'
import type { Intake, Outcome } from './intake.js'
import { isAhead, isTooOld, planOf } from './plan.js'
import type { Batch, Line } from './state.js'
import type { Store } from './store.js'

export interface Delivery {
  /** Sends what there is, and what comes, until aborted. */
  run(signal: AbortSignal): Promise<void>
  /** One more try for all there is; until something stands in the way. */
  flush(signal: AbortSignal): Promise<void>
  /** There is something to send. */
  wake(): void
}

export interface DeliveryParts {
  readonly store: Store
  readonly intake: Pick<Intake, 'send'>
  readonly encoding: Encoding
  /** `refused`: the one that the intake has just refused. Rejects where there is none. */
  readonly key: (refused: string | undefined, signal: AbortSignal) => Promise<string | undefined>
  readonly random: () => number
}

/** All that take series in Datadog's format read it. */
const USUAL = 'deflate'
const FIRST_MS = 1_000
const CAP_MS = 60_000
/** What stands in the way of a batch may go by itself: a clock that was set back, a disk that is full. */
const LOOK_AGAIN_MS = 10_000

export function createDelivery(
  { store, intake, encoding: wanted, key, random }: DeliveryParts,
  { clock, log }: { clock: Clock; log: Log },
): Delivery {
  const news = createNews(clock)
  let failures = 0
  let said = ''
  let maxPoints: number | undefined
  /** Of the batch under way. What a process before has tried is not known. */
  let mayHaveIt = true
  let refusedKey: string | undefined
  let encoding = wanted
  /** It took what was encoded so. */
  let isUnderstood = wanted === USUAL

  const commit = (...lines: readonly Line[]): Promise<boolean> => store.commit(() => lines)

  /** Undefined: there is nothing to send now. */
  async function currentBatch(): Promise<Batch | undefined> {
    const { batch } = store.state
    if (batch && isAhead(batch, clock.now())) return waitForClock()
    if (batch && !isTooOld(batch, clock.now())) return batch
    if (batch && !(await giveUp())) return undefined
    let isWaiting = false
    const isMade = await store.commit((state) => {
      const plan = planOf(state, clock.now())
      isWaiting = !plan && state.windows.length > 0
      return plan ? [{ batch: plan }] : []
    })
    mayHaveIt = false
    if (isWaiting) return waitForClock()
    return isMade ? store.state.batch : undefined
  }

  /** False: it could not be written down. */
  async function giveUp(): Promise<boolean> {
    const isOver = await commit(mayHaveIt ? { expired: true } : { returned: true })
    if (isOver && mayHaveIt) say('what Datadog may or may not have is given up: it takes nothing that is older than an hour', '')
    return isOver
  }

  /** No second is given twice, nor one that the intake does not take yet. */
  function waitForClock(): undefined {
    say('the clock was set back: what is counted waits for Datadog until it is where it was', '')
  }

  /** How long to wait until the next one. */
  async function step(signal: AbortSignal): Promise<number> {
    const batch = await currentBatch()
    if (!batch) return store.state.windows.length > 0 || store.state.batch ? LOOK_AGAIN_MS : Number.POSITIVE_INFINITY
    const { bytes, to } = await renderBody(store.state, batch, { from: batch.done, encoding, ...(maxPoints ? { maxPoints } : {}) })
    const before = mayHaveIt
    const outcome = await attempt(bytes, signal)
    if (!isUnderstood && isUnread(outcome)) return encodeAsUsual()
    isUnderstood ||= outcome.kind === 'accepted'
    return settle(outcome, { points: to - batch.done, to, before })
  }

  async function attempt(bytes: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    const current = await key(refusedKey, signal).catch((error: Error) => {
      signal.throwIfAborted()
      return error
    })
    if (typeof current !== 'string') {
      const why = current instanceof Error ? current.message : 'there is no key'
      return { kind: 'failed', why, mayHaveIt: false, afterMs: 0, isKey: false }
    }
    // Should this process end now, nobody knows.
    const before = mayHaveIt
    mayHaveIt = true
    const outcome = await intake.send(bytes, { encoding, key: current, signal })
    mayHaveIt = before || outcome.kind === 'accepted' || (outcome.kind === 'failed' && outcome.mayHaveIt)
    refusedKey = outcome.kind === 'failed' && outcome.isKey ? current : undefined
    return outcome
  }

  /** How long to wait until the next step. */
  async function settle(outcome: Outcome, { points, to, before }: Attempted): Promise<number> {
    if (outcome.kind === 'failed') return failed(outcome)
    if (outcome.kind === 'too large' && points > 1) {
      maxPoints = Math.ceil(points / 2)
      return 0
    }
    maxPoints = undefined
    failures = 0
    if (outcome.kind === 'accepted') say(outcome.complaint === '' ? '' : 'Datadog takes what is sent, and complains', outcome.complaint)
    else log.warn('Datadog refuses points for good: they are dropped', { points, error: whyOf(outcome) })
    if (!(await commit(outcome.kind === 'accepted' ? { accepted: to } : { refused: to }))) return LOOK_AGAIN_MS
    mayHaveIt = before
    return 0
  }

  /** Other intakes than Datadog's own may know less. The values and seconds are the same. */
  function encodeAsUsual(): number {
    log.info('the intake does not read this encoding: another is sent', { encoding, instead: USUAL })
    encoding = USUAL
    isUnderstood = true
    return 0
  }

  function failed({ why, afterMs }: Outcome & { readonly kind: 'failed' }): number {
    say('Datadog cannot be sent to: what is counted waits', why)
    return afterMs + random() * Math.min(CAP_MS, FIRST_MS * 2 ** failures++)
  }

  /** Once for each change. */
  function say(message: string, why: string): void {
    if (message + why === said) return
    if (message !== '') log.warn(message, { error: why })
    else log.info('Datadog takes what is sent again')
    said = message + why
  }

  return {
    wake: news.wake,
    async run(signal) {
      while (!signal.aborted) {
        const waitMs = await step(signal).catch((error: unknown) => {
          if (!signal.aborted) say('a batch for Datadog cannot be made', error instanceof Error ? error.message : String(error))
          return LOOK_AGAIN_MS
        })
        if (waitMs > 0 && !signal.aborted) await news.wait(waitMs, signal)
      }
    },
    async flush(signal) {
      while (!signal.aborted && (await step(signal).catch(() => CAP_MS)) === 0);
    },
  }
}

interface Attempted {
  readonly points: number
  /** Behind the last one. */
  readonly to: number
  /** Whether an attempt before this one may have arrived. */
  readonly before: boolean
}

const isUnread = (outcome: Outcome): boolean => outcome.kind === 'refused' || (outcome.kind === 'failed' && outcome.isEncoding === true)

const whyOf = (outcome: Outcome): string => (outcome.kind === 'refused' ? outcome.why : 'a single point is too large')

/** News cut short what is waited for without end, not what was waited for because of a failure. */
function createNews(clock: Pick<Clock, 'sleep'>) {
  let wake = (): void => undefined
  return {
    wake: () => wake(),
    async wait(ms: number, signal: AbortSignal): Promise<void> {
      if (Number.isFinite(ms)) return clock.sleep(ms, signal).catch(() => undefined)
      await new Promise<void>((resolve) => {
        wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
        if (signal.aborted) resolve()
      })
    },
  }
}
