// The text of inventory.yaml -> who is who.
import type { InventoryEntry } from '../model.js'
import type { Environment } from './environment.js'
import { option, optional, type ValuesOf } from './fields.js'
import { boolean, cidr, label } from './kinds.js'
import { type Mistake, type Position, sortByPosition } from './mistakes.js'
import { didYouMean, nearest } from './near.js'
import { type Naming, type Reading, readFields, readMapping, soundMistakes } from './shape.js'
import { type MappingEntry, type Node, parseYaml, showNode } from './yaml.js'

const NOT_GIVEN = { value: '', shown: 'none' }

export const INVENTORY_FIELDS = {
  cidr: optional(cidr, NOT_GIVEN, 'The addresses that this entry names; the longest prefix wins.'),
  zone: optional(label, NOT_GIVEN, 'Their zone.'),
  region: optional(label, NOT_GIVEN, 'Their region.'),
  namespace: optional(label, NOT_GIVEN, 'Namespace of their owner.'),
  ownerKind: optional(label, NOT_GIVEN, 'Kind of their owner, such as Deployment or Database.'),
  ownerName: optional(label, NOT_GIVEN, 'Name of their owner.'),
  node: optional(
    label,
    NOT_GIVEN,
    'The node with an agent that they live on: equal to node.name they are local here; without it no agent counts there.',
  ),
  external: option(boolean, 'false', 'They are outside: traffic with them is to_external and from_external.'),
}

/** What an external address cannot have. */
const INSIDE_ONLY = ['zone', 'region', 'node']

export interface ParsedInventory {
  readonly entries: readonly InventoryEntry[]
  readonly mistakes: readonly Mistake[]
}

const FILE: Naming = {
  whole: 'the file',
  pathOf: (key) => key,
  unknown: (key) => `${key} is not a key of an inventory${didYouMean(nearest(key, ['entries'])) || '; expected entries'}`,
}

const ENTRY: Naming = {
  whole: 'an entry',
  pathOf: (key) => key,
  unknown: (key) => `${key} is not a key of an entry${didYouMean(nearest(key, Object.keys(INVENTORY_FIELDS)))}`,
}

interface Placed {
  readonly entry: ValuesOf<typeof INVENTORY_FIELDS>
  readonly at: Position
}

export function parseInventory(text: string, environment: Environment): ParsedInventory {
  const tree = parseYaml(text)
  const mistakes: Mistake[] = []
  const reading = { environment, mistakes }
  const list = readMapping(tree.root, { known: ['entries'], naming: FILE }, reading).get('entries')?.value
  const placed = itemsOf(list, reading).map((node) => readEntry(node, reading))
  mistakes.push(...duplicatesOf(placed))
  return { entries: placed.map(({ entry }) => entry), mistakes: sortByPosition(soundMistakes(tree, mistakes)) }
}

function itemsOf(list: Node | undefined, { mistakes }: Reading): readonly Node[] {
  if (!list || list.kind === 'empty') return []
  if (list.kind === 'list') return list.items
  mistakes.push({ at: list.at, text: `entries is ${showNode(list)}; expected a list of mappings, each with a cidr` })
  return []
}

function readEntry(node: Node, reading: Reading): Placed {
  const given = node.kind === 'mapping' ? node.entries.filter(({ value }) => value.kind !== 'empty') : []
  const range = given.find(({ key }) => key === 'cidr')
  const entry = readFields(node, { fields: INVENTORY_FIELDS, naming: ENTRY }, reading) as unknown as Placed['entry']
  if (!range && node.kind !== 'scalar' && node.kind !== 'list') {
    reading.mistakes.push({ at: node.at, text: 'this entry has no cidr; expected the range of addresses that it names' })
  }
  if (entry.external) reading.mistakes.push(...insideOnly(given))
  return { entry, at: range?.value.at ?? node.at }
}

function insideOnly(given: readonly MappingEntry[]): Mistake[] {
  const wrong = given.filter(({ key }) => INSIDE_ONLY.includes(key))
  return wrong.map(({ key, at }) => ({ at, text: `an external entry has no ${key}; remove ${key} or external` }))
}

function duplicatesOf(placed: readonly Placed[]): Mistake[] {
  const first = new Map<string, Position>()
  return placed.flatMap(({ entry, at }) => {
    const before = first.get(entry.cidr)
    if (entry.cidr === '') return []
    if (!before) first.set(entry.cidr, at)
    return before ? [{ at, text: `cidr ${entry.cidr} is named twice; the first is on line ${before.line}` }] : []
  })
}
