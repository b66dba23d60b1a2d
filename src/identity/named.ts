// What is named before anybody asks a cluster: the node itself, its own addresses, and the rows of the inventory.
import type { Identity, InventoryEntry, Known, Placement, Who } from '../model.js'
import { type Address, parseAddress, parsePrefix } from './address.js'
import { createPrefixTable, type PrefixTable } from './prefix-table.js'
import type { Intern } from './whos.js'

/** Where we run; zone and region `''` where nobody knows them. */
export interface Node {
  readonly name: string
  readonly zone: string
  readonly region: string
}

export type Pause = () => Promise<void>

type Zone = Identity['zones'][number]

/** `exact`: the entry names a single address. */
export interface Named {
  readonly placement: Placement
  readonly exact: boolean
}

const UNKNOWN = '_unknown'

// Loopback traffic is never a pair, but whoever asks shall not hear "unknown".
const LOOPBACK = ['127.0.0.0/8', '::1/128']

const ENTRIES_BETWEEN_PAUSES = 128

/** What the inventory says. */
export interface Names {
  readonly table: PrefixTable<Named>
  readonly zones: Identity['zones']
}

export interface Here {
  readonly node: Node
  readonly nodeWho: Who
  readonly intern: Intern
}

export function hereOf(node: Node, intern: Intern): Here {
  return { node, intern, nodeWho: intern({ ...placeOf(node), namespace: '', kind: 'Node', name: orUnknown(node.name), external: false }) }
}

export async function namesOf(entries: readonly InventoryEntry[], { node, nodeWho, intern }: Here, pause: Pause): Promise<Names> {
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

export function ownTable(addresses: readonly string[], nodeWho: Who, named: PrefixTable<Named>): PrefixTable<Placement> {
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

/** Each known one once, in the order in which they come. */
export function zonesFrom(first: Zone) {
  const distinct = new Map<string, Zone>()
  const add = ({ zone, region }: Zone): void => {
    if (zone !== UNKNOWN) distinct.set(JSON.stringify([zone, region]), Object.freeze({ zone, region }))
  }
  add(first)
  return { add, all: (): Identity['zones'] => [...distinct.values()] }
}

export function distinctZones([first, ...rest]: readonly Zone[]): Identity['zones'] {
  if (!first) return []
  const zones = zonesFrom(first)
  for (const zone of rest) zones.add(zone)
  return zones.all()
}

export function placementOf(who: Who, local: Known = 'no', covered: Known = 'no'): Placement {
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

export async function areSame(before: readonly InventoryEntry[], after: readonly InventoryEntry[], pause: Pause): Promise<boolean> {
  if (before === after) return true
  if (before.length !== after.length) return false
  for (const [index, entry] of after.entries()) {
    if (index % ENTRIES_BETWEEN_PAUSES === 0) await pause()
    if (JSON.stringify(entry) !== JSON.stringify(before[index])) return false
  }
  return true
}
