// One request and its answer: given up when the caller's signal says so, or when nothing is heard for too long.
import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock } from '../deps.js'
import { startWatchdog } from './watchdog.js'

export interface Exchange {
  /** Aborts what undici does for this request. */
  readonly controller: AbortController
  /** `begun`, unless it takes longer than `ms` or the exchange is given up. */
  waitFor<T>(begun: Promise<T>, limit: { readonly ms: number; readonly clock: Clock }): Promise<T>
  /** The exchange is over. */
  release(): void
  /** The exchange is over: the signal's reason if that is why, else what `describe` makes of the error. */
  failed(error: unknown): unknown
}

/** Has a controller of its own that follows `signal`: AbortSignal.any leaks on Node 20 where the signal outlives its requests. */
export function createExchange(signal: AbortSignal, describe: (error: unknown) => Error): Exchange {
  const controller = new AbortController()
  const stop = (): void => controller.abort(signal.reason)
  // Any number of requests may end by one signal; Node takes more than ten for a leak, and warns.
  setMaxListeners(0, signal)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const release = (): void => signal.removeEventListener('abort', stop)
  return {
    controller,
    release,
    async waitFor(begun, { ms, clock }) {
      const watchdog = startWatchdog({ ms, onSilence: () => controller.abort(silenceOf(ms)) }, clock)
      try {
        // undici does not notice an abort while the request waits for a connection.
        return await Promise.race([begun, abortedOf(controller.signal)])
      } finally {
        watchdog.release()
      }
    },
    failed(error) {
      release()
      return signal.aborted ? signal.reason : describe(error)
    },
  }
}

/** Rejects with the reason of an abort. */
function abortedOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

interface BodyParts {
  readonly body: Readable
  readonly exchange: Exchange
  /** Longest silence. */
  readonly idleMs: number
}

/** Throws what the exchange makes of a body that breaks off or falls silent. Leaving it early ends the connection. */
export async function* piecesOf({ body, exchange, idleMs }: BodyParts, clock: Clock): AsyncGenerator<Buffer, void, undefined> {
  const watchdog = startWatchdog({ ms: idleMs, onSilence: () => exchange.controller.abort(silenceOf(idleMs)) }, clock)
  try {
    for await (const piece of body) {
      watchdog.heard()
      yield piece as Buffer
      // A connection that is faster than we are would hold the loop for as long as it has something.
      await turnOfTheLoop()
    }
  } catch (error) {
    throw exchange.failed(error)
  } finally {
    watchdog.release()
    exchange.release()
  }
}

const silenceOf = (ms: number): Error => new Error(`nothing came for ${Math.round(ms / 1000)} s, so it was given up`)

/** The beginning of a body as text; what is longer is left. */
export async function readText(pieces: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const kept: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    kept.push(piece)
    bytes += piece.length
    if (bytes >= maxBytes) break
  }
  return Buffer.concat(kept).toString('utf8', 0, maxBytes)
}
