// Readings that carry an address -> with what is known of whoever has it. Values that come to the same labels are one from here on: of the
// thousands of proxies of an istiod a handful is left.
import type { Clock } from '../deps.js'
import type { Called } from '../identity/called.js'
import type { ChangingIdentity } from '../identity/identity.js'
import type { EventReading, Labels, Peer, Reading, RowReading, ValueReading } from '../model.js'
import { createPauses } from '../pauses.js'
import { both } from './whose.js'

/** In the agent's turn: nobody becomes somebody else meanwhile. */
export type Peers = (readings: readonly Reading[]) => Promise<readonly Reading[]>

/** To ask whether it is time for one takes more than a reading does. */
const BETWEEN_PAUSES = 64

export function createPeers(
  { place, called }: Pick<ChangingIdentity, 'place' | 'called'>,
  { clock }: { readonly clock: Pick<Clock, 'monotonic' | 'pulse'> },
): Peers {
  const holderNow = (address: string): Called => {
    const { who, endedMs } = place(address)
    return { who, ended: endedMs === undefined ? '' : 'yes' }
  }

  const saidOf = ({ address, during, says }: Peer): Labels => {
    const { who, ended } = during ? called(address, during) : holderNow(address)
    return Object.fromEntries(Object.entries(says).map(([label, what]) => [label, what === 'ended' ? ended : who[what]]))
  }

  return async (readings) => {
    clock.pulse?.look()
    const { pause } = createPauses(clock)
    const others: Reading[] = []
    const values = createSums()
    for (const [index, reading] of readings.entries()) {
      if (!hasPeer(reading)) others.push(reading)
      else if (reading.kind === 'row') others.push({ kind: 'row', row: { ...reading.row, ...saidOf(reading.peer) } })
      else if (reading.kind === 'event') others.push(withoutPeer(reading, saidOf(reading.peer)))
      else values.add(reading, saidOf(reading.peer))
      if (index % BETWEEN_PAUSES === 0) await pause()
    }
    return [...others, ...values.all()]
  }
}

const withoutPeer = ({ kind, family, labels, count, pod }: EventReading, said: Labels): EventReading => ({
  kind,
  family,
  labels: { ...labels, ...said },
  count,
  ...(pod ? { pod } : {}),
})

type WithPeer = (ValueReading | EventReading | RowReading) & { readonly peer: Peer }

const hasPeer = (reading: Reading): reading is WithPeer => 'peer' in reading && reading.peer !== undefined

function createSums() {
  /** Sources have few objects of labels, each for many readings. */
  const byLabels = new Map<Labels, Map<string, ValueReading>>()
  return {
    add({ family, labels, value, pod }: ValueReading, said: Labels): void {
      const known = byLabels.get(labels) ?? new Map<string, ValueReading>()
      byLabels.set(labels, known)
      const key = [family.name, pod?.uid, ...Object.values(said)].join('\0')
      const before = known.get(key)
      if (before) known.set(key, { ...before, value: both(family, before.value, value) })
      else known.set(key, { kind: 'value', family, labels: { ...labels, ...said }, value, ...(pod ? { pod } : {}) })
    },
    all: (): readonly ValueReading[] => [...byLabels.values()].flatMap((known) => [...known.values()]),
  }
}
