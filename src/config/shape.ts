// A mapping of the tree against a table of fields -> values and mistakes.
import * as v from 'valibot'
import { type Environment, fillIn } from './environment.js'
import type { Field, Fields } from './field.js'
import type { Mistake, Position } from './mistakes.js'
import { type MappingEntry, type Node, showNode, showText, type Tree } from './yaml.js'

/** How a table's names are spoken of. */
export interface Naming {
  /** The mapping itself: `flows`, `the file`. */
  readonly whole: string
  pathOf(key: string): string
  /** What to say of a key that is not in the table. */
  unknown(key: string): string
}

export interface Reading {
  readonly environment: Environment
  /** Grows while a tree is read. */
  readonly mistakes: Mistake[]
}

export type Values = Readonly<Record<string, unknown>>

export interface Shape {
  readonly fields: Fields
  readonly naming: Naming
  /** Mappings within it. */
  readonly inner?: { readonly names: readonly string[]; read(name: string, node: Node | undefined): unknown }
}

/** Every field has a value afterwards: its default where none was given, or a wrong one. An empty value is none. */
export function readFields(node: Node, { fields, naming, inner }: Shape, reading: Reading): Values {
  const innerNames = inner?.names ?? []
  const given = readMapping(node, { known: [...Object.keys(fields), ...innerNames], naming }, reading)
  const values = Object.entries(fields).map(([name, field]) => {
    const value = readValue(given.get(name)?.value, { field, path: naming.pathOf(name) }, reading)
    return [`${name}${field.suffix}`, value] as const
  })
  return Object.fromEntries([...values, ...innerNames.map((name) => [name, inner?.read(name, given.get(name)?.value)] as const)])
}

export function readMapping(node: Node, table: { known: readonly string[]; naming: Naming }, reading: Reading): Map<string, MappingEntry> {
  const { known, naming } = table
  const given = new Map<string, MappingEntry>()
  if (node.kind === 'scalar' || node.kind === 'list') {
    reading.mistakes.push({ at: node.at, text: `${naming.whole} is ${showNode(node)}; expected a mapping with ${known.join(', ')}` })
  }
  for (const entry of node.kind === 'mapping' ? node.entries : []) {
    const first = given.get(entry.key)
    if (!known.includes(entry.key)) reading.mistakes.push({ at: entry.at, text: naming.unknown(entry.key) })
    else if (first) reading.mistakes.push(twice(entry, naming.pathOf(entry.key), first.at))
    else given.set(entry.key, entry)
  }
  return given
}

const twice = ({ at }: MappingEntry, path: string, first: Position): Mistake => ({
  at,
  text: `${path} is given twice; the first is on line ${first.line}`,
})

interface Place {
  readonly field: Field
  readonly path: string
}

function readValue(node: Node | undefined, { field, path }: Place, reading: Reading): unknown {
  if (!node || node.kind === 'empty') return field.fallback
  if (!field.many) return readScalar(node, { field, path }, reading)
  if (node.kind === 'list') return node.items.map((item, index) => readScalar(item, { field, path: `${path}[${index}]` }, reading))
  reading.mistakes.push({ at: node.at, text: `${path} is ${showNode(node)}; expected a list such as ${field.shown}` })
  return field.fallback
}

function readScalar(node: Node, { field, path }: Place, { environment, mistakes }: Reading): unknown {
  const { kind, fallback } = field
  if (node.kind !== 'scalar') {
    mistakes.push({ at: node.at, text: `${path} is ${showNode(node)}; expected ${kind.expected}` })
    return fallback
  }
  const filled = fillIn(node.text, environment)
  if ('mistake' in filled) {
    mistakes.push({ at: node.at, text: `${path} ${filled.mistake}` })
    return fallback
  }
  const { text } = filled
  const parsed = v.safeParse(kind.schema, text)
  if (parsed.success) return parsed.output
  const shown = showText(text, node.quoted || text !== node.text)
  mistakes.push({ at: node.at, text: `${path} is ${shown}; ${kind.explain?.(text) ?? `expected ${kind.expected}`}` })
  return fallback
}

/** What the parser said, and what else was found in the part that it understood. */
export function soundMistakes(tree: Tree, found: readonly Mistake[]): Mistake[] {
  const { line, column } = tree.soundUntil
  const isSound = ({ at }: Mistake): boolean => !at || at.line < line || (at.line === line && at.column < column)
  const placeOf = ({ at }: Mistake): string => `${at?.line}:${at?.column}`
  const said = new Set(tree.mistakes.map(placeOf))
  return [...tree.mistakes, ...found.filter((mistake) => isSound(mistake) && !said.has(placeOf(mistake)))]
}
