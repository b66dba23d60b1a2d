// What the terminal shows while the demo runs. Pure: the same view and size give the same lines.
import { renderCount } from '../../http/page-rows.js'
import { renderBooks } from './books.js'
import type { Row } from './rows.js'
import type { AgentSnapshot } from './snapshots.js'
import { type Line, plain, soft, wrap } from './style.js'
import { renderTable, type Size } from './table.js'

export interface View {
  readonly title: string
  readonly seconds: number
  readonly rows: readonly Row[]
  readonly agents: readonly AgentSnapshot[]
  /** Bytes that each node observed in a second. */
  readonly flowing: readonly number[]
  /** Bytes that all of them posted in a second. */
  readonly postedPerSecond: number
  /** By the interfaces of whoever sends. */
  readonly sentBytes: number
  readonly addresses: readonly { readonly node: string; readonly url: string }[]
  /** Ports that were asked for and are not free. */
  readonly taken: readonly number[]
}

const LEAST_TABLE = 5

export function renderScreen(view: View, { columns, lines }: Size): readonly Line[] {
  const foot = [
    plain(''),
    ...renderFoot(view, columns),
    plain(''),
    ...view.addresses.map((address) => renderAddress(address, columns)),
    ...renderTaken(view.taken).map((text) => plain(text.slice(0, columns))),
    soft('Ctrl-C ends it and removes everything'.slice(0, columns)),
  ]
  const head = [renderTitle(view, columns), plain('')]
  const table = renderTable(view.rows, { columns, lines: Math.max(lines - head.length - foot.length, LEAST_TABLE) })
  return [...head, ...table, ...foot].slice(0, lines)
}

export function renderFoot(view: View, columns: number): readonly Line[] {
  return [...renderBooks(view, columns), ...renderSent(view, columns)]
}

/** Agents and interfaces are read one after the other: said as the time that the bytes between them took. */
function renderSent({ agents, postedPerSecond, sentBytes }: View, columns: number): readonly Line[] {
  const counted = agents.reduce((sum, { books }) => sum + books.posted, 0)
  const difference = Math.abs(sentBytes - counted)
  const when = `, read about ${renderTime(difference / postedPerSecond)} ${counted < sentBytes ? 'earlier' : 'later'}`
  const apart = postedPerSecond > 0 ? when : `, differs by ${renderCount(difference)}`
  const texts = [
    `sent   ${renderCount(sentBytes)} by the pods' interfaces,`,
    ` counted ${renderCount(counted)}${difference === 0 ? '' : apart}`,
  ]
  return wrap(texts, { columns, indent: 7 }).map(plain)
}

const renderTime = (seconds: number): string => (seconds < 1 ? `${Math.ceil(seconds * 1_000)} ms` : `${seconds.toFixed(1)} s`)

export function renderAddress({ node, url }: View['addresses'][number], columns: number): Line {
  const texts = [`${node}  ${url}/  ${url}/metrics`, `${node}  ${url}/`]
  return plain(texts.find(({ length }) => length <= columns) ?? url.slice(0, columns))
}

export function renderTaken(ports: readonly number[]): readonly string[] {
  if (ports.length === 0) return []
  const [names, others] = ports.length === 1 ? ['port', 'another is'] : ['ports', 'others are']
  return [`${names} ${ports.join(', ')} in use by another program: ${others} taken instead`]
}

function renderTitle({ title, seconds }: View, columns: number): Line {
  const time = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
  return { text: `${title.padEnd(columns - time.length).slice(0, columns - time.length)}${time}`, style: 'strong' }
}
