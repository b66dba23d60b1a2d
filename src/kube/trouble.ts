import type { Clock, Log } from '../deps.js'
import { KubeError } from './kube-error.js'

/** A time of failures: said once when it begins, once for each further kind, and once when it is over. */
export interface Trouble {
  failed(error: Error): void
  over(): void
}

export function createTrouble(path: string, { clock, log }: { readonly clock: Clock; readonly log: Log }): Trouble {
  const kinds = new Set<string>()
  let sinceMs = 0
  return {
    failed(error) {
      const kind = kindOf(error)
      if (kinds.size === 0) sinceMs = clock.monotonic()
      if (!kinds.has(kind)) log.warn('cannot follow the API server, trying again', { path, error: error.message })
      kinds.add(kind)
    },
    over() {
      if (kinds.size === 0) return
      kinds.clear()
      log.info('following the API server again', { path, after_s: Math.round((clock.monotonic() - sinceMs) / 1000) })
    },
  }
}

const kindOf = (error: Error): string => (error instanceof KubeError ? `${error.status} ${error.reason}` : error.name)
