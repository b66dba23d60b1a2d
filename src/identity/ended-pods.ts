// Addresses of pods that ended, while nobody has them. To ask for one is cheap, and does not make it one that is used, as placing does: a proxy has
// tens of thousands of hosts.
import type { Who } from '../model.js'
import { parseAddress } from './address.js'
import { type Holders, type Holding, isPod, NOBODY, type Tenant } from './holders.js'
import type { PrefixTable } from './prefix-table.js'

export interface EndedPod {
  readonly uid: string
  readonly who: Who
  /** Undefined: no pod that ever had it is on record, though the address is of a pod. */
  readonly endedMs: number | undefined
}

export interface EndedPods {
  /** Who had it last and ended. Undefined: somebody has it, or may have it unheard of, or it is of no pod. */
  endedPod(address: string, nowMs: number): EndedPod | undefined
}

interface Parts {
  readonly holders: Pick<Holders, 'last' | 'mayHaveMissed'>
  readonly skewMs: number
  /** While changes are not heard of. */
  readonly isDoubtful: (last: Holding, sinceMs: number) => boolean
  /** Of pods; undefined while changes are not heard of. */
  readonly ranges: () => PrefixTable<Tenant> | undefined
}

const OF_NO_RECORD: EndedPod = Object.freeze({ uid: '', who: NOBODY, endedMs: undefined })

export function createEndedPods({ holders, skewMs, isDoubtful, ranges }: Parts): EndedPods {
  function ofNobody(text: string): EndedPod | undefined {
    const address = parseAddress(text)
    return address && ranges()?.lookup(address) ? OF_NO_RECORD : undefined
  }

  return {
    endedPod(address, nowMs) {
      const last = holders.last(address)
      if (!last) return ofNobody(address)
      const { key, tenant, untilMs } = last
      if (!isPod(tenant) || isDoubtful(last, untilMs) || untilMs + skewMs > nowMs) return undefined
      if (holders.mayHaveMissed(address, { fromMs: untilMs, toMs: nowMs })) return undefined
      return { uid: key, who: tenant.who, endedMs: untilMs }
    },
  }
}
