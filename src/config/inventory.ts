// The text of inventory.yaml -> who is who.
import type { InventoryEntry } from '../model.js'
import type { Environment } from './environment.js'
import { option, optional, type ValuesOf } from './field.js'
import { parseJson } from './json.js'
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

/** A file that was cut short, or never filled, shall not take all names away. */
const NOBODY = 'expected entries: [] where nobody is to be named'

/** What an external address cannot have. */
const INSIDE_ONLY = ['zone', 'region', 'node']

export interface ParsedInventory {
  readonly entries: readonly InventoryEntry[]
  readonly mistakes: readonly Mistake[]
}

/** `parseInventory`, wherever it runs. */
export type ParseInventory = (text: string, environment: Environment, signal?: AbortSignal) => Promise<ParsedInventory>

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

/** Right JSON is read the short way; whatever is not right is judged, and placed, as YAML. */
export function parseInventory(text: string, environment: Environment): ParsedInventory {
  return fromJson(text, environment) ?? fromYaml(text, environment)
}

function fromJson(text: string, environment: Environment): ParsedInventory | undefined {
  const root = parseJson(text)
  const mistakes: Mistake[] = []
  const entries = root && readEntries(root, { environment, mistakes })
  return entries && mistakes.length === 0 ? { entries, mistakes } : undefined
}

function fromYaml(text: string, environment: Environment): ParsedInventory {
  const tree = parseYaml(text)
  const mistakes: Mistake[] = []
  const entries = readEntries(tree.root, { environment, mistakes })
  return { entries, mistakes: sortByPosition(soundMistakes(tree, mistakes)) }
}

function readEntries(root: Node, reading: Reading): InventoryEntry[] {
  const given = readMapping(root, { known: ['entries'], naming: FILE }, reading)
  const isSilent = root.kind === 'empty' || (root.kind === 'mapping' && root.entries.length === 0)
  if (isSilent) reading.mistakes.push({ at: root.at, text: `the file has no entries; ${NOBODY}` })
  const placed = itemsOf(given.get('entries')?.value, reading).map((node) => readEntry(node, reading))
  for (const mistake of duplicatesOf(placed)) reading.mistakes.push(mistake)
  return placed.map(({ entry }) => entry)
}

function itemsOf(list: Node | undefined, { mistakes }: Reading): readonly Node[] {
  if (!list) return []
  if (list.kind === 'list') return list.items
  const expected = list.kind === 'empty' ? NOBODY : 'expected a list of mappings, each with a cidr'
  mistakes.push({ at: list.at, text: `entries is ${showNode(list)}; ${expected}` })
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
