import type { Identity, InventoryEntry, Known, Placement, Who } from '../model.js'
import { type Address, parseAddress, parsePrefix, translatedOf } from './address.js'
import { createPrefixTable, type PrefixTable } from './prefix-table.js'
import { createClassify } from './special-ranges.js'

export interface IdentityParts {
  /** The node we run on; zone and region `''` where nobody knows them. */
  readonly node: { readonly name: string; readonly zone: string; readonly region: string }
  readonly entries: readonly InventoryEntry[]
  /** Addresses of the node's own interfaces, as text. */
  readonly addresses: readonly string[]
}

export interface ChangingIdentity extends Identity {
  /** What is left out stays. Throws on a malformed address or CIDR, and then nothing has changed. */
  update(changes: Partial<Pick<IdentityParts, 'entries' | 'addresses'>>): void
}

/** `exact`: the entry names a single address. */
interface Named {
  readonly placement: Placement
  readonly exact: boolean
}

type Intern = (who: Who) => Who

const UNKNOWN = '_unknown'
const NOBODY: Who = { zone: UNKNOWN, region: UNKNOWN, namespace: UNKNOWN, kind: UNKNOWN, name: UNKNOWN, external: false }
const OUTSIDE: Who = { zone: '', region: '', namespace: '', kind: 'External', name: UNKNOWN, external: true }

// Loopback traffic is never a pair, but whoever asks shall not hear "unknown".
const LOOPBACK = ['127.0.0.0/8', '::1/128']

/** The order of answers: the node's own addresses, the inventory's longest prefix, the special-purpose registries. */
export function createIdentity({ node, ...initial }: IdentityParts): ChangingIdentity {
  const intern = createIntern()
  const classify = createClassify()
  const nodeWho = intern({ ...placeOf(node), namespace: '', kind: 'Node', name: orUnknown(node.name), external: false })
  const unknown = placementOf(intern(NOBODY))
  const external = placementOf(intern(OUTSIDE))
  let { entries, addresses } = initial
  let named = tableOf(entries, node.name, intern)
  let own = ownTable(addresses, nodeWho, named)
  let zones = zonesOf(nodeWho, entries)
  let version = 1

  const placeParsed = (address: Address): Placement => {
    const known = own.lookup(address) ?? named.lookup(address)?.placement
    if (known) return known
    const behind = translatedOf(address)
    if (behind) return beforeTranslation(placeParsed(behind))
    return classify(address) === 'global' ? external : unknown
  }

  return {
    place(text) {
      const address = parseAddress(text)
      return address ? placeParsed(address) : unknown
    },
    update(changes) {
      const next = { entries, addresses, ...changes }
      const sameNames = sameEntries(entries, next.entries)
      if (sameNames && sameSet(addresses, next.addresses)) return
      const nextNamed = sameNames ? named : tableOf(next.entries, node.name, intern)
      own = ownTable(next.addresses, nodeWho, nextNamed)
      named = nextNamed
      if (!sameNames) zones = zonesOf(nodeWho, next.entries)
      entries = next.entries
      addresses = next.addresses
      version++
    },
    get version() {
      return version
    },
    get zones() {
      return zones
    },
  }
}

/** One frozen object for equal values, for as long as the agent runs, so that references can be compared. */
function createIntern(): Intern {
  const known = new Map<string, Who>()
  return (who) => {
    const key = JSON.stringify([who.zone, who.region, who.namespace, who.kind, who.name, who.external])
    const found = known.get(key) ?? Object.freeze(who)
    known.set(key, found)
    return found
  }
}

function tableOf(entries: readonly InventoryEntry[], nodeName: string, intern: Intern): PrefixTable<Named> {
  return createPrefixTable(
    entries.map((entry) => {
      const prefix = mustBe(parsePrefix(entry.cidr), entry.cidr, 'CIDR')
      const local: Known = entry.node !== '' && entry.node === nodeName ? 'yes' : 'no'
      const covered: Known = entry.node !== '' && entry.node !== nodeName ? 'yes' : 'no'
      return [prefix, { placement: placementOf(intern(whoOf(entry)), local, covered), exact: isHost(prefix) }]
    }),
  )
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
  return placementOf(who, 'no', local === 'yes' || covered === 'yes' ? 'yes' : 'no')
}

function zonesOf(nodeWho: Who, entries: readonly InventoryEntry[]): Identity['zones'] {
  const all = [nodeWho, ...entries.filter(({ external }) => !external).map(placeOf)].filter(({ zone }) => zone !== UNKNOWN)
  const distinct = new Map(all.map(({ zone, region }) => [JSON.stringify([zone, region]), Object.freeze({ zone, region })]))
  return [...distinct.values()]
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

function sameEntries(before: readonly InventoryEntry[], after: readonly InventoryEntry[]): boolean {
  return before === after || JSON.stringify(before) === JSON.stringify(after)
}

function sameSet(before: readonly string[], after: readonly string[]): boolean {
  const known = new Set(before)
  return before === after || (known.size === new Set(after).size && after.every((address) => known.has(address)))
}
