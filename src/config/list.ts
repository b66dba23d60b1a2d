// A list of mappings of the tree -> their values and mistakes.
import type { List } from './field.js'
import type { Position } from './mistakes.js'
import { didYouMean, nearest } from './near.js'
import { type Naming, type Reading, readFields, type Values } from './shape.js'
import { type Node, showNode } from './yaml.js'

interface NamedList {
  readonly path: string
  readonly list: List
}

export function readList(node: Node | undefined, { path, list }: NamedList, reading: Reading): readonly Values[] {
  if (!node || node.kind === 'empty') return []
  const { mistakes } = reading
  if (node.kind !== 'list') {
    mistakes.push({ at: node.at, text: `${path} is ${showNode(node)}; expected a list of mappings, each with ${list.key}` })
    return []
  }
  const first = new Map<unknown, Position>()
  return node.items.map((item, index) => {
    const naming = namingOf(`${path}[${index}]`, list)
    const values = readFields(item, { fields: list.fields, naming }, reading)
    const text = keyMistake(item, { naming, list }, first.get(values[list.key]))
    if (text !== undefined) mistakes.push({ at: keyNodeOf(item, list)?.at ?? item.at, text })
    else first.set(values[list.key], item.at)
    return values
  })
}

const keyNodeOf = (item: Node, { key }: List): Node | undefined =>
  item.kind === 'mapping' ? item.entries.find((entry) => entry.key === key && entry.value.kind !== 'empty')?.value : undefined

/** `first`: where another has the same. */
function keyMistake(item: Node, { naming, list }: { naming: Naming; list: List }, first: Position | undefined): string | undefined {
  const { key, fields } = list
  if (keyNodeOf(item, list)) return first && `${naming.pathOf(key)} is given twice; the first is on line ${first.line}`
  const isSaid = item.kind === 'scalar' || item.kind === 'list'
  return isSaid ? undefined : `${naming.whole} has no ${key}; expected ${fields[key]?.kind.expected}`
}

const namingOf = (whole: string, { fields }: List): Naming => ({
  whole,
  pathOf: (key) => `${whole}.${key}`,
  unknown: (key) => `${whole}.${key} is not an option${didYouMean(nearest(key, Object.keys(fields)))}`,
})
