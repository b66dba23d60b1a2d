import type { Clock } from '../deps.js'

export interface Watchdog {
  /** Something was heard: the time begins anew. */
  heard(): void
  release(): void
}

/** Calls `onSilence` once, as soon as nothing was heard for `ms`; never after it was released. */
export function startWatchdog({ ms, onSilence }: { readonly ms: number; onSilence(): void }, clock: Clock): Watchdog {
  const released = new AbortController()
  let heardAtMs = clock.monotonic()

  // One timer that is set again when it is over: a timer for each piece of an answer would cost more than the piece.
  const watch = async (): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs = heardAtMs + ms - clock.monotonic()) await clock.sleep(leftMs, released.signal)
  }
  watch().then(
    () => released.signal.aborted || onSilence(),
    () => undefined,
  )
  return {
    heard() {
      heardAtMs = clock.monotonic()
    },
    release: () => released.abort(),
  }
}
