// YAML text -> a small tree in which everything knows where it stands. Scalars stay text: what they mean is the field's business,
// so that `zone: 1`, `zone: "1"` and `zone: ${ZONE}` say the same.
import {
  Composer,
  CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLError,
  YAMLParseError,
} from 'yaml'
import { type Mistake, type Position, sortByPosition } from './mistakes.js'

export type Node =
  | { readonly kind: 'empty'; readonly at: Position }
  | { readonly kind: 'scalar'; readonly at: Position; readonly text: string; readonly quoted: boolean }
  | { readonly kind: 'list'; readonly at: Position; readonly items: readonly Node[] }
  | { readonly kind: 'mapping'; readonly at: Position; readonly entries: readonly MappingEntry[] }

export interface MappingEntry {
  readonly key: string
  readonly at: Position
  readonly value: Node
}

export interface Tree {
  readonly root: Node
  readonly mistakes: readonly Mistake[]
  /** Nothing that begins after it can be trusted: what stands there is read by a parser that lost its way. */
  readonly soundUntil: Position
}

interface Context {
  readonly mistakes: Mistake[]
  positionOf(offset: number): Position
}

const START: Position = { line: 1, column: 1 }
const END: Position = { line: Number.POSITIVE_INFINITY, column: 1 }

/** More than any of our files has. Composing takes stack for each level, and where V8 runs out of it the process may end. */
const DEEPEST = 100

export function parseYaml(text: string): Tree {
  const lines = new LineCounter()
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const tokens = tokensOf(text, lines)
  if (tokens.tooDeepAt !== undefined) return tooDeep(positionOf(tokens.tooDeepAt))
  const { contents, errors } = compose(tokens.all, text.length)
  const syntax = syntaxMistakes(errors, { text, positionOf, openings: () => openingsIn(tokens.all) })
  const mistakes = [...syntax]
  const root = nodeOf(contents, START, { mistakes, positionOf })
  return { root, mistakes, soundUntil: syntax[0]?.at ?? END }
}

interface Tokens {
  readonly all: readonly CST.Token[]
  /** Offset at which reading stopped. */
  readonly tooDeepAt?: number
}

function tokensOf(text: string, lines: LineCounter): Tokens {
  const parser = new Parser(lines.addNewLine)
  const all: CST.Token[] = []
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser
    for (const token of parser.next(lexeme)) all.push(token)
    // The document itself is the first.
    if (parser.stack.length > DEEPEST + 1) return { all, tooDeepAt: offset }
  }
  for (const token of parser.end()) all.push(token)
  return { all }
}

function tooDeep(at: Position): Tree {
  const text = `nested more than ${DEEPEST} levels deep; close what was opened before, or nest less`
  return { root: { kind: 'empty', at: START }, mistakes: [{ at, text }], soundUntil: START }
}

/** What `parseDocument` does, from tokens. */
function compose(tokens: readonly CST.Token[], end: number): { contents: ParsedNode | null; errors: readonly YAMLError[] } {
  const [document, second] = new Composer({ prettyErrors: false, uniqueKeys: false }).compose(tokens, true, end)
  const { contents = null, errors = [], warnings = [] } = document ?? {}
  const further = second ? [new YAMLParseError([second.range[0], second.range[1]], 'MULTIPLE_DOCS', '')] : []
  return { contents, errors: [...errors, ...further, ...warnings] }
}

interface Source extends Pick<Context, 'positionOf'> {
  readonly text: string
  /** Those of { and [ that nothing closes. */
  readonly openings: () => readonly number[]
}

function openingsIn(tokens: readonly CST.Token[]): readonly number[] {
  const found: number[] = []
  for (const token of tokens) {
    if (token.type !== 'document') continue
    CST.visit(token, ({ value }) => {
      if (value?.type === 'flow-collection' && !value.end.some(({ source }) => source === CLOSINGS[value.start.source]))
        found.push(value.offset)
    })
  }
  return found
}

const CLOSINGS: Readonly<Record<string, string>> = { '{': '}', '[': ']' }

/** The first of each line: the parser's further complaints about it are echoes. After a reference that splits a value all are. */
function syntaxMistakes(errors: readonly YAMLError[], { text, positionOf, openings }: Source): Mistake[] {
  const split = errors.map(({ pos: [offset] }) => ({ offset, reference: referenceAt(text, offset) })).find(({ reference }) => reference)
  if (split) {
    const before = errors.filter(({ pos }) => pos[0] < split.offset)
    const hint = `${split.reference} needs quotes inside { } and [ ]; write "${split.reference}"`
    return [...syntaxMistakes(before, { text, positionOf, openings }), { at: positionOf(split.offset - 1), text: hint }]
  }
  const others = errors.filter((error) => !isUnclosed(error))
  const unclosed = others.length === errors.length ? [] : openings().map((offset) => unclosedAt(offset, { text, positionOf }))
  const all = sortByPosition(others.map((error) => ({ at: positionOf(error.pos[0]), text: sentenceOf(error) })))
  const first = all.filter(({ at }, index, sorted) => index === 0 || at?.line !== sorted[index - 1]?.at?.line)
  return sortByPosition([...first, ...unclosed])
}

/** Said where reading gave up, which may be far behind what was not closed. */
const isUnclosed = ({ message }: YAMLError): boolean => /^Flow (map|sequence) .*end with a [}\]]$/.test(message)

function unclosedAt(offset: number, { text, positionOf }: Pick<Source, 'text' | 'positionOf'>): Mistake {
  const opening = text.charAt(offset)
  const hint = `write ${CLOSINGS[opening]} behind what belongs to it, and indent its further lines`
  return { at: positionOf(offset), text: `this ${opening} is not closed; ${hint}` }
}

/** The brace of `${NAME}` begins a mapping where a value is not quoted. */
const referenceAt = (text: string, brace: number): string | undefined => /^\$\{\w+\}/.exec(text.slice(Math.max(brace - 1, 0)))?.[0]

function sentenceOf({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins; expected one'
  return `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
}

function nodeOf(node: ParsedNode | null, fallback: Position, context: Context): Node {
  if (!node) return { kind: 'empty', at: fallback }
  const at = context.positionOf(node.range[0])
  if (isMap(node)) return { kind: 'mapping', at, entries: node.items.flatMap((pair) => entryOf(pair, at, context)) }
  if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => nodeOf(item, at, context)) }
  if (isScalar(node) && node.value !== null) {
    return { kind: 'scalar', at, text: node.source ?? String(node.value), quoted: typeof node.value === 'string' }
  }
  if (isAlias(node)) context.mistakes.push({ at, text: `*${node.source} is an alias, which is not supported; write the value out` })
  return { kind: 'empty', at }
}

function entryOf(pair: { key: ParsedNode; value: ParsedNode | null }, fallback: Position, context: Context): MappingEntry[] {
  const at = pair.key ? context.positionOf(pair.key.range[0]) : fallback
  if (isScalar(pair.key) && pair.key.value !== null) {
    return [{ key: pair.key.source ?? String(pair.key.value), at, value: nodeOf(pair.value, at, context) }]
  }
  context.mistakes.push({ at, text: 'this key is not a word; expected the name of an option' })
  return []
}

/** How a value is quoted in a sentence. */
export function showNode(node: Node): string {
  if (node.kind === 'empty') return 'empty'
  if (node.kind === 'scalar') return showText(node.text, node.quoted)
  return node.kind === 'list' ? 'a list' : 'a mapping'
}

export function showText(text: string, quoted = true): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text
  return quoted ? JSON.stringify(short) : short
}
