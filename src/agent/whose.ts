// A reading of a pod -> with the labels of its owner. Who owns a pod may be told later than its first numbers: they wait, and only after
// `patienceMs` stand for themselves.
import type { Clock } from '../deps.js'
import type { OwnPods } from '../identity/own-pods.js'
import type { Counted, TotalEntry } from '../ledger/totals/totals.js'
import type { EventReading, Family, Labels, OfPod, Reading, TotalReading, ValueReading } from '../model.js'
import { createPauses } from '../pauses.js'
import { createJoin } from '../sources/source.js'

export interface Resolved {
  /** What is to be added up. */
  readonly totals: readonly TotalEntry[]
  /** What is served as it was read; of pods, what their values come to by owner. */
  readonly values: readonly ValueReading[]
  /** What has its labels and names already. */
  readonly counted: Counted
}

/** What one read said, with all its labels. In the agent's turn: nobody becomes somebody else meanwhile. */
export type Whose = (readings: readonly Reading[]) => Promise<Resolved>

interface Parts {
  readonly pods: Pick<OwnPods, 'find'>
  /** Of this node, and so of its pods; undefined until it is told. */
  readonly zone: () => string | undefined
  readonly patienceMs: number
}

interface Owned {
  readonly labels: Labels
  readonly whose: TotalEntry['whose']
}

const UNKNOWN = '_unknown'
const OF_NO_POD: Owned = { labels: {}, whose: 'certain' }

export function createWhose({ pods, zone, patienceMs }: Parts, { clock }: { readonly clock: Pick<Clock, 'monotonic'> }): Whose {
  const join = createJoin()
  /** Pods that nobody has told of, and since when they are seen. */
  let waiting = new Map<string, number>()
  /** By uid, of the last read. */
  let lastLabels = new Map<string, Labels>()

  function ownedOf(pod: OfPod, stillWaiting: Map<string, number>): Owned {
    const known = pods.find(pod)
    const told = zone()
    const labels = labelsOf({ zone: told ?? UNKNOWN, namespace: pod.namespace, ...(known?.owner ?? { kind: UNKNOWN, name: UNKNOWN }) })
    if (known && pod.network && known.hostNetwork) return { labels, whose: 'nobody' }
    if (known && told !== undefined) return { labels, whose: 'certain' }
    const sinceMs = waiting.get(pod.uid) ?? clock.monotonic()
    stillWaiting.set(pod.uid, sinceMs)
    // All who share their node's network would count the node's bytes once more each.
    const waits = (!known && pod.network === 'perhaps node') || clock.monotonic() - sinceMs < patienceMs
    return { labels, whose: waits ? 'waiting' : 'certain' }
  }

  type Owners = ReturnType<typeof createOwners>

  /** What asks for it has thousands of readings, of some hundred pods. */
  function createOwners() {
    const byPod = new Map<OfPod, Owned>()
    const labels = new Map<string, Labels>()
    /** Those that a read no longer has are forgotten. */
    const stillWaiting = new Map<string, number>()
    return {
      of(pod: OfPod): Owned {
        const before = byPod.get(pod)
        if (before) return before
        const owned = ownedOf(pod, stillWaiting)
        const last = labels.get(pod.uid) ?? lastLabels.get(pod.uid)
        // The same object as before, where it says the same.
        const kept = last && isSame(last, owned.labels) ? { ...owned, labels: last } : owned
        byPod.set(pod, kept)
        labels.set(pod.uid, kept.labels)
        return kept
      },
      done() {
        waiting = stillWaiting
        lastLabels = labels
      },
    }
  }

  return async (readings) => {
    const { through } = createPauses(clock)
    const owners = createOwners()
    const resolved = await through(resolving(readings, owners))
    owners.done()
    return resolved
  }

  function* resolving(readings: readonly Reading[], owners: Pick<Owners, 'of'>): Generator<void, Resolved> {
    const totals: TotalEntry[] = []
    const values: ValueReading[] = []
    const events: EventReading[] = []

    function add(reading: OwnedReading): void {
      const owner = reading.pod ? owners.of(reading.pod) : OF_NO_POD
      const labels = joined(owner.labels, reading.labels)
      if (reading.kind === 'total') totals.push(entryOf(reading, labels, owner.whose))
      // What happened is not told again: it is of whoever is known by now.
      else if (reading.kind === 'event') events.push(eventOf(reading, labels))
      else if (owner.whose === 'certain') values.push({ kind: 'value', family: reading.family, labels, value: reading.value })
    }

    for (const reading of readings) {
      if (isOwned(reading)) add(reading)
      yield
    }
    return { totals, values: merged(values), counted: { events, marks: readings.filter((reading) => reading.kind === 'mark') } }
  }

  function joined(owner: Labels, own: Labels): Labels {
    if (owner === OF_NO_POD.labels) return own
    return isEmpty(own) ? owner : join(owner, own)
  }
}

type OwnedReading = TotalReading | ValueReading | EventReading

const isOwned = (reading: Reading): reading is OwnedReading =>
  reading.kind === 'total' || reading.kind === 'value' || reading.kind === 'event'

const isEmpty = (labels: Labels): boolean => {
  for (const _ in labels) return false
  return true
}

function entryOf({ family, target, series, value, startedMs, part }: TotalReading, labels: Labels, whose: TotalEntry['whose']): TotalEntry {
  return { family, labels, target, series, value, startedMs, part, whose }
}

const eventOf = ({ kind, family, count, peer }: EventReading, labels: Labels): EventReading => ({
  ...{ kind, family, labels, count },
  ...(peer ? { peer } : {}),
})

const isSame = (one: Labels, other: Labels): boolean =>
  one.owner_name === other.owner_name &&
  one.owner_kind === other.owner_kind &&
  one.owner_namespace === other.owner_namespace &&
  one.owner_zone === other.owner_zone

function merged(values: readonly ValueReading[]): readonly ValueReading[] {
  const byLabels = new Map<string, ValueReading>()
  for (const reading of values) {
    const key = JSON.stringify([reading.family.name, reading.labels])
    const before = byLabels.get(key)
    byLabels.set(key, before ? { ...reading, value: both(reading.family, before.value, reading.value) } : reading)
  }
  return [...byLabels.values()]
}

/** What two values of one owner come to. */
export function both({ ofOwner }: Family, one: number, other: number): number {
  if (ofOwner === undefined) return one + other
  return ofOwner === 'minimum' ? Math.min(one, other) : Math.max(one, other)
}

interface Labelled {
  readonly zone: string
  readonly namespace: string
  readonly kind: string
  readonly name: string
}

const labelsOf = ({ zone, namespace, kind, name }: Labelled): Labels => ({
  owner_zone: zone,
  owner_namespace: namespace,
  owner_kind: kind,
  owner_name: name,
})
