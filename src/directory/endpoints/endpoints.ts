// What is counted once in a cluster: changes of endpoints, and restarts of the pods behind them. Restarts are noted by every replica, so that
// the next one to count knows what was before; endpoints are followed and counted during its term only, and anew in each.
import type { PodRestarts } from '../../cluster/objects.js'
import type { Config } from '../../config/fields.js'
import type { Clock, Log } from '../../deps.js'
import type { FamilySnapshot } from '../../model.js'
import type { Term } from '../election.js'
import { createChurn } from './churn.js'
import { createRestarts, type Restarted } from './restarts.js'
import { createServices } from './services.js'
import type { ShareUid, SliceFacts } from './slice.js'
import { createTally } from './tally.js'

export interface Slices {
  readonly share: ShareUid
  put(key: string, slice: SliceFacts): void
  remove(key: string): void
}

/** Resolves once all there is has been told; goes on until aborted. */
export type FollowSlices = (slices: Slices, signal: AbortSignal) => Promise<void>

export interface Endpoints {
  readonly restarts: PodRestarts
  readonly term: Term
  /** Since the term began; empty without one. `zeroFirst`: new series are 0 for a while. */
  families(options?: { readonly zeroFirst?: boolean }): readonly FamilySnapshot[]
}

export interface EndpointsParts {
  readonly follow: FollowSlices
  readonly share: ShareUid
  readonly series: Config['series']
}

interface Count {
  restarted(restarted: Restarted): void
  families: Endpoints['families']
  end(): void
}

export function createEndpoints(
  parts: EndpointsParts,
  deps: { readonly clock: Clock; readonly log: Pick<Log, 'debug' | 'info'> },
): Endpoints {
  let count: Count | undefined
  const end = (): void => {
    count?.end()
    count = undefined
  }
  return {
    restarts: createRestarts((restarted) => count?.restarted(restarted)),
    term: {
      begin() {
        end()
        count = startCount(parts, deps)
      },
      end,
    },
    families: (options) => count?.families(options) ?? [],
  }
}

function startCount({ follow, share, series }: EndpointsParts, { clock, log }: Parameters<typeof createEndpoints>[1]): Count {
  const { monotonic } = clock
  const ended = new AbortController()
  const tally = createTally(series, clock)
  /** All there was is known: it is no change. */
  let isCounting = false
  const services = createServices((turn) => {
    churn.settle()
    if (isCounting) churn.turned(turn)
  })
  const churn = createChurn({ tally, services, monotonic })
  const isGone = (service: string): boolean => !services.has(service.split('/')[0] ?? '', service)

  follow({ ...services, share }, ended.signal).then(
    () => {
      isCounting = true
      log.info('all endpoints are known, changes are counted')
    },
    (error: unknown) => log.debug('endpoints are no longer followed', { error: String(error) }),
  )
  return {
    restarted(restarted) {
      churn.settle()
      if (isCounting) churn.restarted(restarted)
    },
    families(options) {
      churn.settle()
      tally.withdraw(isGone)
      return tally.families(options)
    },
    end: () => ended.abort(new Error('another replica counts endpoints')),
  }
}
