// What a sync would do, for people: a line for each object, what differs under it, the sum last.
import { wrapWords } from '../../config/words.js'
import type { Terminal } from '../commands.js'
import type { Difference } from './compare.js'
import { titleOf } from './objects.js'
import type { Step } from './plan.js'

const WIDTH = 80
const INDENT = 4
/** What all of them begin with says nothing here. */
const OURS = /^\[meshtoll\] |^meshtoll /
/** Of one object; the rest is counted. */
const MOST = 8
/** What is the same before a difference in a long text, so that one sees where it is. */
const CONTEXT = 24

const SIGNS = { create: '+', change: '~', remove: '-', keep: ' ' } as const
const COLORS = { create: 32, change: 33, remove: 31, keep: 0 } as const

export interface Intent {
  readonly apply: boolean
  readonly prune: boolean
}

export function renderPlan(steps: readonly Step[], intent: Intent, terminal: Terminal): string {
  const changing = steps.filter(({ does }) => does !== 'keep')
  const width = terminal.columns === 0 ? WIDTH : Math.min(terminal.columns, WIDTH)
  const column = Math.max(...changing.map((step) => idIn(step).length), 0)
  const lines = changing.flatMap((step) => [headOf(step, { column, width, terminal }), ...under(step, width)])
  return [...lines, ...verdictOf(steps, intent, width), ''].join('\n')
}

export const nameOf = (step: Step): string => {
  const { kind } = step.does === 'remove' ? step.found : step.wanted
  return `${kind} ${idIn(step)}`
}

const idIn = (step: Step): string => (step.does === 'remove' ? (step.found.id ?? step.found.key) : step.wanted.id)

interface Place {
  readonly column: number
  readonly width: number
  readonly terminal: Terminal
}

function headOf(step: Step, { column, width, terminal }: Place): string {
  const { kind, body } = step.does === 'remove' ? step.found : step.wanted
  const sign = SIGNS[step.does]
  const painted = terminal.hasColors ? `\u001b[${COLORS[step.does]}m${sign}\u001b[0m` : sign
  const line = `${kind.padEnd('dashboard'.length)}  ${idIn(step).padEnd(column)}  ${titleOf(kind, body).replace(OURS, '')}`
  return `${painted} ${cut(line, width - 2)}`.trimEnd()
}

function under(step: Step, width: number): readonly string[] {
  if (step.does === 'remove') {
    const { kind, key } = step.found
    const says =
      step.why === 'a copy'
        ? `${kind} ${key} is a second one; to keep it take ${kind === 'monitor' ? 'its tag managed_by:meshtoll away' : 'managed_by:meshtoll out of its description'}`
        : `${kind} ${key} is made by meshtoll and not wanted any more`
    return wrapWords(says, width - INDENT).map(indented)
  }
  if (step.does !== 'change') return []
  const shown = step.differences.slice(0, MOST)
  const rest = step.differences.length - shown.length
  return [...shown.flatMap((one) => renderDifference(one, width - INDENT)), ...(rest > 0 ? [`and ${rest} more`] : [])].map(indented)
}

const indented = (line: string): string => ' '.repeat(INDENT) + line

/** In one line where it fits, else in one for each side, from shortly before where they part. */
function renderDifference({ path, from, to }: Difference, width: number): readonly string[] {
  const [before, after] = [oneLine(from), oneLine(to)]
  const line = `${path}  ${before ?? 'none'} -> ${after ?? 'none'}`
  if (line.length <= width) return [line]
  const start = Math.max(0, commonLength(before ?? '', after ?? '') - CONTEXT)
  const side = (sign: string, text: string | undefined): string[] =>
    text === undefined ? [] : [`  ${sign} ${cut(start === 0 ? text : `...${text.slice(start)}`, width - 4)}`]
  return [cut(path, width), ...side('-', before), ...side('+', after)]
}

const oneLine = (text: string | undefined): string | undefined => text?.replaceAll(/[\p{Cc}\s]+/gu, ' ')

function commonLength(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 3)}...`)

function verdictOf(steps: readonly Step[], { apply, prune }: Intent, width: number): readonly string[] {
  const count = (does: Step['does']): number => steps.filter((step) => step.does === does).length
  const [created, changed, removed, kept] = [count('create'), count('change'), count('remove'), count('keep')]
  const parts = [
    created > 0 && `${created} to create`,
    changed > 0 && `${changed} to change`,
    removed > 0 && (prune ? `${removed} to remove` : `${removed} to remove with --prune`),
    kept > 0 && `${kept} as wanted`,
  ].filter((part) => part !== false)
  const isAll = created + changed + (prune ? removed : 0) === 0
  const next = isAll ? 'nothing to do' : apply ? '' : 'nothing was changed, --apply does it'
  return wrapWords([parts.join(', '), next].filter(Boolean).join(': '), width)
}
