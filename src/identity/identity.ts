import type { Clock } from '../deps.js'
import { addressText } from '../formats/address-text.js'
import type { Identity, InventoryEntry, Known, Placement, Who } from '../model.js'
import { type Address, parseAddress, parsePrefix, translatedOf } from './address.js'
import { type ClusterChanges, type ClusterNames, isPending } from './cluster-names.js'
import { createPrefixTable, type PrefixTable } from './prefix-table.js'
import { createClassify } from './special-ranges.js'
import { createIntern, type Intern } from './whos.js'

/** Where we run; zone and region `''` where nobody knows them. */
export interface Node {
  readonly name: string
  readonly zone: string
  readonly region: string
}

/** What is left out stays. */
export interface Changes {
  readonly entries?: readonly InventoryEntry[]
  /** Addresses of the node's own interfaces, as text. */
  readonly addresses?: readonly string[]
  /** Where the node is, once somebody says so. */
  readonly place?: Pick<Node, 'zone' | 'region'> | undefined
  readonly cluster?: ClusterChanges
}

/** `cluster`: what Kubernetes says, where there is one. */
export interface IdentityParts {
  readonly clock?: Pick<Clock, 'now'>
  readonly cluster?: ClusterNames | undefined
}

type Pause = () => Promise<void>

export interface ChangingIdentity extends Identity {
  /** One at a time; `place` answers from before until all is ready. Rejects a malformed address or CIDR, and then nothing has changed. */
  update(changes: Changes, pause: Pause): Promise<void>
}

type Zone = Identity['zones'][number]

/** `exact`: the entry names a single address. */
interface Named {
  readonly placement: Placement
  readonly exact: boolean
}

const UNKNOWN = '_unknown'
const NOBODY: Who = { zone: UNKNOWN, region: UNKNOWN, namespace: UNKNOWN, kind: UNKNOWN, name: UNKNOWN, external: false }
const OUTSIDE: Who = { zone: '', region: '', namespace: '', kind: 'External', name: UNKNOWN, external: true }

// Loopback traffic is never a pair, but whoever asks shall not hear "unknown".
const LOOPBACK = ['127.0.0.0/8', '::1/128']

const ENTRIES_BETWEEN_PAUSES = 128
const NO_CLOCK = { now: () => 0 }

/** What the inventory says. */
interface Names {
  readonly table: PrefixTable<Named>
  readonly zones: Identity['zones']
}

/** The order of answers: own addresses, who holds it in the cluster, the inventory's longest prefix, who is said to be outside, the registries. */
export function createIdentity(given: Node, { clock = NO_CLOCK, cluster }: IdentityParts = {}): ChangingIdentity {
  const intern = createIntern()
  const classify = createClassify()
  const unknown = placementOf(intern(NOBODY))
  const external = placementOf(intern(OUTSIDE))
  let here = hereOf(given, intern)
  let entries: readonly InventoryEntry[] = []
  let addresses: readonly string[] = []
  let names: Names = { table: createPrefixTable(), zones: zonesFrom(here.nodeWho).all() }
  let own = ownTable(addresses, here.nodeWho, names.table)
  let version = 1

  const ownPlacement = (address: Address, atMs: number): Placement | undefined => {
    const found = own.lookup(address)
    return found && cluster ? cluster.here(found.who, atMs) : found
  }

  const placeParsed = (text: string, address: Address, nowMs: number, fromMs?: number): Placement => {
    const known = ownPlacement(address, nowMs) ?? cluster?.place(text, nowMs) ?? names.table.lookup(address)?.placement
    if (known) return known
    const behind = translatedOf(address)
    if (behind) return beforeTranslation(placeParsed(addressText(behind), behind, nowMs, fromMs))
    const isGlobal = classify(address) === 'global'
    const otherwise = cluster?.placeOutside(text) ?? (isGlobal ? external : unknown)
    // No pod has a global IPv4 address, and a node's are told with it.
    const isOutside = isGlobal && address.length === 1
    return cluster && !isOutside ? cluster.placeOfNobody(text, address, otherwise, nowMs, fromMs) : otherwise
  }

  const place = (text: string): Placement => {
    const address = parseAddress(text)
    return address ? placeParsed(text, address, clock.now()) : unknown
  }

  const placeSince = (text: string, before: Placement | undefined, sinceMs: number): Placement => {
    const address = cluster && parseAddress(text)
    if (!address) return before ?? place(text)
    const decided = before && !isPending(before) ? before : undefined
    const ownOne = ownPlacement(address, sinceMs)
    if (ownOne) return decided ?? ownOne
    const toMs = clock.now()
    return cluster.placeSince(text, before, { fromMs: sinceMs, toMs }) ?? decided ?? placeParsed(text, address, toMs, sinceMs)
  }

  async function update(changes: Changes, pause: Pause): Promise<void> {
    const nextHere = changes.place ? hereOf({ ...given, ...changes.place }, intern) : here
    const isNew = nextHere.nodeWho !== here.nodeWho || (changes.entries !== undefined && !(await areSame(entries, changes.entries, pause)))
    const next = { entries, addresses, ...changes }
    const nextNames = isNew ? await namesOf(next.entries, nextHere, pause) : names
    if (changes.cluster && cluster?.apply(changes.cluster, clock.now())) version++
    if (!isNew && sameSet(addresses, next.addresses)) return
    own = ownTable(next.addresses, nextHere.nodeWho, nextNames.table)
    names = nextNames
    entries = next.entries
    addresses = next.addresses
    here = nextHere
    version++
  }

  return {
    place,
    placeSince,
    update,
    get version() {
      return version
    },
    get zones() {
      return cluster ? distinctZones([...names.zones, ...cluster.zones]) : names.zones
    },
  }
}

interface Here {
  readonly node: Node
  readonly nodeWho: Who
  readonly intern: Intern
}

function hereOf(node: Node, intern: Intern): Here {
  return { node, intern, nodeWho: intern({ ...placeOf(node), namespace: '', kind: 'Node', name: orUnknown(node.name), external: false }) }
}

async function namesOf(entries: readonly InventoryEntry[], { node, nodeWho, intern }: Here, pause: Pause): Promise<Names> {
  const table = createPrefixTable<Named>()
  const zones = zonesFrom(nodeWho)
  for (const [index, entry] of entries.entries()) {
    if (index % ENTRIES_BETWEEN_PAUSES === 0) await pause()
    const prefix = mustBe(parsePrefix(entry.cidr), entry.cidr, 'CIDR')
    const local: Known = entry.node !== '' && entry.node === node.name ? 'yes' : 'no'
    const covered: Known = entry.node !== '' && entry.node !== node.name ? 'yes' : 'no'
    const who = intern(whoOf(entry))
    if (!who.external) zones.add(who)
    table.set(prefix, { placement: placementOf(who, local, covered), exact: isHost(prefix) })
  }
  return { table, zones: zones.all() }
}

function ownTable(addresses: readonly string[], nodeWho: Who, named: PrefixTable<Named>): PrefixTable<Placement> {
  const node = placementOf(nodeWho, 'yes')
  const table = createPrefixTable<Placement>(LOOPBACK.map((cidr) => [mustBe(parsePrefix(cidr), cidr, 'CIDR'), node]))
  for (const text of addresses) {
    const address = mustBe(parseAddress(text), text, 'address')
    const entry = named.lookup(address)
    table.set({ address, length: address.length * 32 }, entry?.exact ? placementOf(entry.placement.who, 'yes') : node)
  }
  return table
}

function whoOf(entry: InventoryEntry): Who {
  const { zone, region } = entry.external ? { zone: '', region: '' } : placeOf(entry)
  const { namespace, ownerKind, ownerName, external } = entry
  return { zone, region, namespace, kind: orUnknown(ownerKind), name: orUnknown(ownerName), external }
}

function placeOf({ zone, region }: { readonly zone: string; readonly region: string }): { zone: string; region: string } {
  return { zone: orUnknown(zone), region: orUnknown(region) }
}

// Bytes between us and a translator were, or will be, counted where the IPv4 host lives; here they are never at home.
function beforeTranslation({ who, local, covered }: Placement): Placement {
  const isCounted = local === 'yes' || local === 'joining' || covered === 'yes'
  if (isCounted) return placementOf(who, 'no', 'yes')
  return placementOf(who, 'no', local === 'unknown' || covered === 'unknown' ? 'unknown' : 'no')
}

/** Each known one once, in the order in which they come. */
function zonesFrom(first: Zone) {
  const distinct = new Map<string, Zone>()
  const add = ({ zone, region }: Zone): void => {
    if (zone !== UNKNOWN) distinct.set(JSON.stringify([zone, region]), Object.freeze({ zone, region }))
  }
  add(first)
  return { add, all: (): Identity['zones'] => [...distinct.values()] }
}

function distinctZones([first, ...rest]: readonly Zone[]): Identity['zones'] {
  if (!first) return []
  const zones = zonesFrom(first)
  for (const zone of rest) zones.add(zone)
  return zones.all()
}

function placementOf(who: Who, local: Known = 'no', covered: Known = 'no'): Placement {
  return Object.freeze({ who, local, covered })
}

function isHost({ address, length }: { readonly address: Address; readonly length: number }): boolean {
  return length === address.length * 32
}

function orUnknown(text: string): string {
  return text === '' ? UNKNOWN : text
}

function mustBe<T>(parsed: T | undefined, text: string, what: string): T {
  if (parsed === undefined) throw new Error(`identity: "${text}" is no ${what}`)
  return parsed
}

async function areSame(before: readonly InventoryEntry[], after: readonly InventoryEntry[], pause: Pause): Promise<boolean> {
  if (before === after) return true
  if (before.length !== after.length) return false
  for (const [index, entry] of after.entries()) {
    if (index % ENTRIES_BETWEEN_PAUSES === 0) await pause()
    if (JSON.stringify(entry) !== JSON.stringify(before[index])) return false
  }
  return true
}

function sameSet(before: readonly string[], after: readonly string[]): boolean {
  const known = new Set(before)
  return before === after || (known.size === new Set(after).size && after.every((address) => known.has(address)))
}
