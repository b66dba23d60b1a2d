// What proxies list of ended pods -> readings, by what is known of these pods by now.
import type { Labels, Reading, RowReading, ValueReading } from '../../model.js'
import type { Scraped } from '../scraping.js'
import { lagging, staleHosts } from './families.js'
import type { EndedPod } from './source.js'

/** Of a proxy, by address: in which cluster, the first of them, and since when it is seen there though its pod has ended. */
export type Listed = ReadonlyMap<string, { readonly cluster: string; readonly sinceMs: number }>

interface Parts {
  readonly endedPod: (address: string) => EndedPod | undefined
  readonly patienceMs: number
}

interface Stale {
  readonly address: string
  readonly cluster: string
  readonly sinceMs: number
  readonly ended: EndedPod
}

/** Of ended pods, at a time. */
const MOST_OWNERS = 1_000
/** On this node, those of the pods that ended first. */
const MOST_NAMED = 100
const MOST_LETTERS = 300

const OTHER: Labels = Object.freeze({ dst_namespace: '_other', dst_owner_kind: '_other', dst_owner_name: '_other' })

/** Of those that answered. */
export function createReadings({ endedPod, patienceMs }: Parts): (asked: readonly Scraped<Listed>[], nowMs: number) => readonly Reading[] {
  let known = new Map<string, Labels>()

  function* staleOf(listed: Listed, nowMs: number): Generator<Stale> {
    for (const [address, { cluster, sinceMs }] of listed) {
      const ended = endedPod(address)
      // Who has it now may be heard of a little later.
      if (ended && (ended.endedMs !== undefined || nowMs - sinceMs >= patienceMs)) yield { address, cluster, sinceMs, ended }
    }
  }

  function labelsOf({ who }: EndedPod, used: Map<string, Labels>): Labels {
    const key = JSON.stringify([who.namespace, who.kind, who.name])
    const before = used.get(key) ?? known.get(key)
    if (!used.has(key) && used.size >= MOST_OWNERS) return OTHER
    const labels = before ?? Object.freeze({ dst_namespace: who.namespace, dst_owner_kind: who.kind, dst_owner_name: who.name })
    used.set(key, labels)
    return labels
  }

  return (asked, nowMs) => {
    const used = new Map<string, Labels>()
    const found = asked.flatMap(({ target: { pod, labels }, said }) =>
      said && pod ? [{ pod, labels, stale: [...staleOf(said, nowMs)] }] : [],
    )
    const readings = found.flatMap(({ pod, labels, stale }): readonly ValueReading[] => {
      const hosts = countsOf(stale.map(({ ended }) => labelsOf(ended, used)))
      return [
        { kind: 'value', family: lagging, labels, value: stale.length > 0 ? 1 : 0, pod },
        ...[...hosts].map(([of, value]) => ({ kind: 'value', family: staleHosts, labels: of, value, pod }) as const),
      ]
    })
    known = used
    return [
      ...readings,
      ...rowsOf(found.flatMap(({ pod, stale }) => stale.map((one) => ({ ...one, proxy: `${pod.namespace}/${pod.name}` })))),
    ]
  }
}

function countsOf<T>(all: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>()
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1)
  return counts
}

function rowsOf(named: readonly (Stale & { readonly proxy: string })[]): readonly RowReading[] {
  const endOf = ({ ended: { endedMs }, sinceMs }: Stale): number => endedMs ?? sinceMs
  const first = [...named].sort((one, other) => endOf(one) - endOf(other)).slice(0, MOST_NAMED)
  return first.map(({ proxy, cluster, address, sinceMs, ended: { uid, who, endedMs } }) => ({
    kind: 'row',
    row: {
      proxy,
      cluster: cluster.slice(0, MOST_LETTERS),
      address,
      namespace: who.namespace,
      ownerKind: who.kind,
      ownerName: who.name,
      podUid: uid,
      endedAt: endedMs === undefined ? null : new Date(endedMs).toISOString(),
      listedSince: new Date(sinceMs).toISOString(),
    },
  }))
}
