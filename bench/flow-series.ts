// A ledger that serves any number of flow series: as many pairs, each between two owners that no other pair has.
import type { Clock, Log } from '../src/deps.js'
import { createLedger, type Ledger } from '../src/ledger/ledger.js'
import type { FlowReading, PairColumn } from '../src/model/flows.js'
import type { Identity, Placement } from '../src/model.js'

export const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms))),
}

export const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

const EPOCH = 'bench'
const NOTHING: PairColumn = { count: 0, pair: new Int32Array(0), bytes: new Float64Array(0) }

export async function createFullLedger(series: number): Promise<Ledger> {
  const ledger = createLedger({ limit: series, idleMs: 3_600_000 }, { clock: CLOCK, log: SILENT })
  ledger.announce(EPOCH)
  await ledger.post(readingOf(series), IDENTITY)
  ledger.take()
  return ledger
}

/** Addresses are numbers in text; sources are even ones and live here. */
function readingOf(pairs: number): FlowReading {
  const seen = {
    count: pairs,
    pair: Int32Array.from({ length: pairs }, (_, id) => id),
    bytes: new Float64Array(pairs).map((_, id) => 1e9 + id * 7_919),
  }
  return {
    kind: 'flows',
    epoch: EPOCH,
    epochStartMs: CLOCK.now(),
    atMs: CLOCK.now(),
    counters: { observed: seen.bytes.reduce((sum, bytes) => sum + bytes, 0), tunnel: 0, overflow: 0, viaOverflow: 0 },
    pairs: { size: pairs, addresses: pairs * 2, sourceOf: (pair) => pair * 2, destinationOf: (pair) => pair * 2 + 1, addressText: String },
    generations: [{ id: 1, closed: false, seen, via: NOTHING }],
    gapMs: 0,
    unbrokenSinceMs: CLOCK.now(),
    egress: { uplinks: 0, intoTunnels: 0, outerSent: 0 },
  }
}

const ZONES = ['a', 'b', 'c'].map((letter) => ({ zone: `us-east-1${letter}`, region: 'us-east-1' }))

const IDENTITY: Identity = {
  place: (address) => placementOf(Number(address)),
  placeSince: (address) => placementOf(Number(address)),
  placeDuring: (_, now) => now,
  version: 1,
  zones: ZONES,
}

function placementOf(address: number): Placement {
  const { zone, region } = ZONES[address % ZONES.length] ?? { zone: '', region: '' }
  const who = { zone, region, namespace: `namespace-${address % 40}`, kind: 'Deployment', name: `workload-${address}`, external: false }
  return { who, local: address % 2 === 0 ? 'yes' : 'no', covered: 'no' }
}
