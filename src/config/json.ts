// JSON text -> the tree that yaml.ts makes of it, JSON being YAML: in a fraction of the time and memory, but nothing knows where it stands.
import type { Position } from './mistakes.js'
import type { Node } from './yaml.js'

const NOWHERE: Position = { line: 0, column: 0 }

/** More than any of our files has. */
const DEEPEST = 8

/** YAML ends no line there. */
const LONE_RETURN = /\r(?!\n)/

/** Undefined for whatever is not a JSON list or object, and where YAML says more: a key given twice, a number (`1.0` is text), a lone return. */
export function parseJson(text: string): Node | undefined {
  const value = LONE_RETURN.test(text) ? undefined : parsed(text)
  if (!isObject(value)) return undefined
  const seen: Seen = { strings: 0, isStrange: false }
  const root = nodeOf(value, DEEPEST, seen)
  return seen.isStrange || seen.strings !== stringsIn(text) ? undefined : root
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Seen {
  /** Keys and values. */
  strings: number
  isStrange: boolean
}

function nodeOf(value: unknown, depth: number, seen: Seen): Node {
  if (typeof value === 'string') {
    seen.strings++
    return { kind: 'scalar', at: NOWHERE, text: value, quoted: true }
  }
  if (typeof value === 'boolean') return { kind: 'scalar', at: NOWHERE, text: String(value), quoted: false }
  if (Array.isArray(value) && depth > 0) {
    return { kind: 'list', at: NOWHERE, items: value.map((item) => nodeOf(item, depth - 1, seen)) }
  }
  if (isObject(value) && depth > 0) {
    const entries = Object.entries(value)
    seen.strings += entries.length
    return {
      kind: 'mapping',
      at: NOWHERE,
      entries: entries.map(([key, inner]) => ({ key, at: NOWHERE, value: nodeOf(inner, depth - 1, seen) })),
    }
  }
  seen.isStrange ||= value !== null
  return { kind: 'empty', at: NOWHERE }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Of JSON. What JSON.parse dropped, the first of two equal keys and its value, counts here. */
function stringsIn(text: string): number {
  const plain = text.includes('\\') ? text.replaceAll(/\\./g, '') : text
  let quotes = 0
  for (let at = plain.indexOf('"'); at >= 0; at = plain.indexOf('"', at + 1)) quotes++
  return quotes / 2
}
