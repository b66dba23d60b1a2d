// What the ledger should say, found without offsets, diffs, routes or ids: every packet is booked one by one.
import type { Identity, Placement, Stretch, Who } from '../../src/model.js'
import type { Packet } from './kernel-model.js'

/** Everything that was booked up to some reading; what a killed agent wrote down last is a copy of it. */
export interface Booked {
  epoch: string
  /** The first of the table's packets that is not booked yet. */
  next: number
  /** Placements of the addresses that the ledger knows, as of the last reading. */
  places: ReadonlyMap<string, Placement>
  /** Pairs that it knows, each as source and destination with a space between. */
  pairs: ReadonlySet<string>
  flows: Map<string, number>
  /** Those of them that came to a pod that had ended. */
  phantoms: Map<string, number>
  zones: Map<string, number>
  totals: Record<'observed' | 'posted' | 'elsewhere' | 'tunnel' | 'multicast' | 'overflow' | 'ambiguous' | 'handover', number>
  /** Numbers of packets, their bytes, and when they came, where that is remembered. */
  pending: readonly Pending[]
  /** Pairs of which one end became somebody else while bytes waited for the other. */
  handedOn: ReadonlySet<string>
  /** Transit that may still be translated. */
  flying: readonly { readonly at: number; readonly from: Placement; readonly to: Placement }[]
  /** Transit that was never translated: pending first, elsewhere soon. */
  rest: number
  /** Of what was rest when its table went: some of it may have been handed over, and some elsewhere by then. */
  leftBehind: number
}

export interface Pending {
  readonly at: number
  readonly bytes: number
  readonly came?: Stretch | undefined
}

export const nothingBooked = (): Booked => ({
  epoch: '',
  next: 0,
  places: new Map(),
  pairs: new Set(),
  flows: new Map(),
  phantoms: new Map(),
  zones: new Map(),
  totals: { observed: 0, posted: 0, elsewhere: 0, tunnel: 0, multicast: 0, overflow: 0, ambiguous: 0, handover: 0 },
  pending: [],
  handedOn: new Set(),
  flying: [],
  rest: 0,
  leftBehind: 0,
})

export const copyOf = (booked: Booked): Booked => ({
  ...booked,
  flows: new Map(booked.flows),
  phantoms: new Map(booked.phantoms),
  zones: new Map(booked.zones),
  totals: { ...booked.totals },
})

/** What the agent before had read. */
export interface Before {
  /** All packets before this one. Infinity: of none is that known. */
  readonly packets: number
  readonly pairs: ReadonlySet<string>
  /** When a packet came that waited. */
  cameOf(at: number): Stretch
}

export interface OracleReading {
  /** The table's packets as they were when it was read. */
  readonly packets: readonly Packet[]
  readonly identity: Identity
  /** Of an agent's first reading. */
  readonly before: Before | undefined
  /** Since the reading before. */
  readonly stretch: Stretch
  /** Pairs that the ledger holds after the reading. */
  readonly known: ReadonlySet<string>
}

type PlaceOf = (address: string) => Placement

export function bookReading(booked: Booked, { packets, identity, before: read, stretch, known }: OracleReading): void {
  const isLost = read?.packets === Number.POSITIVE_INFINITY
  const readUntil = read && !isLost ? Math.min(read.packets, packets.length) : 0
  const first = booked.next
  const pairs = new Set([...booked.pairs, ...(read?.pairs ?? [])])
  const pairOf = (at: number): string => `${packets[at]?.source} ${packets[at]?.destination}`
  const meanwhile: PlaceOf = (address) => {
    const before = booked.places.get(address)
    return before && isLost ? before : identity.placeSince(address, before, 0)
  }
  const before: PlaceOf = (address) => booked.places.get(address) ?? meanwhile(address)
  const during =
    (came: Stretch): PlaceOf =>
    (address) =>
      identity.placeDuring(address, meanwhile(address), came)
  const endsOf = (at: number, placeOf: PlaceOf) => [placeOf(packets[at]?.source ?? ''), placeOf(packets[at]?.destination ?? '')] as const
  // Of what is transit before or meanwhile, bytes on their way between the hooks would be lost: it is of those who had the addresses before.
  const waits = (at: number): boolean => pairs.has(pairOf(at)) && [before, meanwhile].some((placeOf) => isTransit(...endsOf(at, placeOf)))
  const isOpen = (at: number, placeOf: PlaceOf): boolean => isWaiting(...endsOf(at, placeOf)) || isTransit(...endsOf(at, placeOf))

  const flying = booked.flying
  booked.flying = []
  for (const { at, from, to } of flying) {
    booked.rest -= bytesOf(packets, at)
    bookTransit(booked, { packets, at }, [from, to])
  }
  for (let at = first; at < readUntil; at++) bookPacket(booked, { packets, at }, before)
  if (read && !isLost) booked.pending = booked.pending.map((one) => ({ ...one, came: read.cameOf(one.at) }))
  const timed = timedIn(booked, pairOf)
  // Ends that are others since the agent before are not known to be.
  const handedOn = read && !isLost ? new Set(timed) : new Set([...booked.handedOn].filter((pair) => timed.has(pair)))
  /** Bytes that could be of two by now, or came around the end of a pod, are of one, where it is known when they came. */
  function placeOfWaited({ at, came }: Pick<Pending, 'at' | 'came'>): PlaceOf {
    if (waits(at)) return before
    const isTwos = endsOf(at, meanwhile).some(({ ambiguous }) => ambiguous)
    const isHandedOn = handedOn.has(pairOf(at))
    const isAroundEnd = [before, meanwhile].some((placeOf) => isPhantom(endsOf(at, placeOf)[1]))
    return came && (isTwos || isAroundEnd || isHandedOn) && !isOpen(at, meanwhile) && !isOpen(at, during(came)) ? during(came) : meanwhile
  }

  for (const { at, came } of takePending(booked)) {
    bookPacket(booked, { packets, at }, placeOfWaited({ at, came }))
    remember(booked, at, came)
  }
  for (let at = Math.max(first, readUntil); at < packets.length; at++)
    bookPacket(booked, { packets, at }, placeOfWaited({ at, came: timed.has(pairOf(at)) ? stretch : undefined }))
  const isOther = (at: number, ...placesOf: readonly [PlaceOf, PlaceOf]): boolean => {
    const [ends, others] = placesOf.map((placeOf) => endsOf(at, placeOf))
    return String(ends?.map(textOf)) !== String(others?.map(textOf))
  }
  const stillTimed = (placeOf: PlaceOf): readonly number[] =>
    booked.pending.flatMap(({ at }) => (timed.has(pairOf(at)) && isWaiting(...endsOf(at, placeOf)) ? [at] : []))
  for (const at of stillTimed(meanwhile)) if (isOther(at, before, meanwhile)) handedOn.add(pairOf(at))
  for (const at of stillTimed(identity.place)) if (isOther(at, meanwhile, identity.place)) handedOn.add(pairOf(at))
  for (let at = first; at < packets.length; at++) booked.totals.observed += bytesOf(packets, at)
  booked.next = packets.length
  const isTimed = (at: number): boolean => !isLost && at >= (read ? readUntil : first)
  for (const { at, came } of takePending(booked)) {
    bookPacket(booked, { packets, at }, identity.place)
    remember(booked, at, came ?? (isTimed(at) ? stretch : undefined))
  }
  booked.handedOn = handedOn
  booked.pairs = known
  booked.places = new Map([...known].flatMap((pair) => pair.split(' ').map((address) => [address, identity.place(address)] as const)))
}

const timedIn = ({ pending }: Booked, pairOf: (at: number) => string): ReadonlySet<string> =>
  new Set(pending.flatMap(({ at, came }) => (came ? [pairOf(at)] : [])))

const textOf = (placement: Placement): string => JSON.stringify(placement)

/** It still waits. */
function remember(booked: Booked, at: number, came: Stretch | undefined): void {
  booked.pending = booked.pending.map((one) => (one.at === at ? { ...one, came } : one))
}

function takePending(booked: Booked): Booked['pending'] {
  const { pending } = booked
  booked.pending = []
  return pending
}

/** The table is gone: what waited can no longer be placed. */
export function bookEpoch(booked: Booked, epoch: string): void {
  booked.totals.elsewhere += booked.rest + pendingOf(booked)
  booked.totals.handover += pendingOf(booked)
  booked.leftBehind += booked.rest
  booked.pending = []
  booked.flying = []
  booked.rest = 0
  booked.places = new Map()
  booked.pairs = new Set()
  booked.next = 0
  booked.epoch = epoch
}

const bytesOf = (packets: readonly Packet[], at: number): number => packets[at]?.bytes ?? 0
export const pendingOf = ({ pending }: Booked): number => pending.reduce((sum, { bytes }) => sum + bytes, 0)

interface Place {
  readonly packets: readonly Packet[]
  readonly at: number
}

function bookPacket(booked: Booked, { packets, at }: Place, placeOf: (address: string) => Placement): void {
  const packet = packets[at]
  if (!packet) return
  const { bytes, path } = packet
  const [source, destination] = [placeOf(packet.source), placeOf(packet.destination)]
  if (path === 'tunnel') booked.totals.tunnel += bytes
  else if (path === 'no room for pair') booked.totals.overflow += bytes
  else if (packet.destination.startsWith('224.')) booked.totals.multicast += bytes
  else if (!isHere(source) && source.covered === 'yes') booked.totals.elsewhere += bytes
  else if (isUndecided(source, destination)) booked.pending = [...booked.pending, { at, bytes }]
  else if (source.local === 'joining') handOver(booked, bytes)
  else if (source.local === 'yes' || destination.local !== 'no') post(booked, bytes, [source, destination])
  else bookTransit(booked, { packets, at }, [source, destination])
}

const isHere = ({ local }: Placement): boolean => local === 'yes' || local === 'joining'

const isWaiting = (source: Placement, destination: Placement): boolean =>
  (isHere(source) || source.covered !== 'yes') && isUndecided(source, destination)

function isUndecided(source: Placement, destination: Placement): boolean {
  return [source.local, destination.local, isHere(source) ? 'no' : source.covered].includes('unknown')
}

function isTransit(source: Placement, destination: Placement): boolean {
  return source.local === 'no' && source.covered === 'no' && destination.local === 'no'
}

function handOver({ totals }: Booked, bytes: number): void {
  totals.elsewhere += bytes
  totals.handover += bytes
}

function bookTransit(booked: Booked, { packets, at }: Place, [from, to]: readonly [Placement, Placement]): void {
  const { bytes, path, landed } = packets[at] as Packet
  if (path === 'translated' && landed) {
    post(booked, bytes, [from, to])
    return
  }
  booked.rest += bytes
  if (path === 'translated') booked.flying = [...booked.flying, { at, from, to }]
}

const isPhantom = ({ endedMs }: Placement): boolean => endedMs !== undefined

function post({ totals, flows, phantoms, zones }: Booked, bytes: number, ends: readonly [Placement, Placement]): void {
  const [from, to] = [ends[0].who, ends[1].who]
  const scope = scopeBetween(from, to)
  const add = (to: Map<string, number>, key: string): void => void to.set(key, (to.get(key) ?? 0) + bytes)
  totals.posted += bytes
  if (ends.some(({ ambiguous }) => ambiguous)) totals.ambiguous += bytes
  add(zones, JSON.stringify([from.zone, to.zone, scope]))
  const [source, destination] = [from, to].map(({ namespace, kind, name }) => [namespace, kind, name])
  if (isPhantom(ends[1])) add(phantoms, JSON.stringify([from.zone, ...(source ?? []), ...(destination ?? [])]))
  add(flows, JSON.stringify([from.zone, from.namespace, from.kind, from.name, to.zone, to.namespace, to.kind, to.name, scope]))
}

function scopeBetween(from: Who, to: Who): string {
  const isKnown = (place: string): boolean => place !== '' && place !== '_unknown'
  if (to.external) return 'to_external'
  if (from.external) return 'from_external'
  if (isKnown(from.region) && isKnown(to.region) && from.region !== to.region) return 'cross_region'
  if (!isKnown(from.zone) || !isKnown(to.zone)) return 'unknown'
  return from.zone === to.zone ? 'same_zone' : 'cross_zone'
}
