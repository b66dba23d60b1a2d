// The books of all nodes together, and the bytes that the senders' own interfaces counted beside those that were posted.
import { renderCount } from '../../http/page-rows.js'
import type { Books } from '../../model.js'
import type { AgentSnapshot } from './snapshots.js'
import { type Line, wrap } from './style.js'

/** In the order in which the sum is written; of the last three, those that are not 0. */
const PARTS = ['posted', 'elsewhere', 'multicast', 'tunnel', 'overflow', 'pending'] as const
const ALWAYS: readonly string[] = ['posted', 'elsewhere', 'multicast']
/** The traffic of the story comes in bursts that are no longer apart than this. */
const BURST_SECONDS = 0.25

export type Sum = Books & { readonly difference: number }

export function addedBooks(agents: readonly AgentSnapshot[]): Sum {
  const sum = (key: keyof Sum): number => agents.reduce((total, { books }) => total + books[key], 0)
  return {
    observed: sum('observed'),
    posted: sum('posted'),
    elsewhere: sum('elsewhere'),
    tunnel: sum('tunnel'),
    multicast: sum('multicast'),
    overflow: sum('overflow'),
    pending: sum('pending'),
    difference: sum('difference'),
  }
}

export interface BooksView {
  readonly agents: readonly AgentSnapshot[]
  /** While bytes flow: what each node observed in a second. The kernel's counters are read one after the other, not at one instant. */
  readonly flowing?: readonly number[]
}

export function renderBooks({ agents, flowing }: BooksView, columns: number): readonly Line[] {
  const books = addedBooks(agents)
  const parts = PARTS.filter((name) => books[name] !== 0 || ALWAYS.includes(name))
  const isWithinRead = agents.every((agent, index) => Math.abs(agent.books.difference) <= bytesOfRead(agent, flowing?.[index] ?? 0))
  const last = parts.length - 1
  const isRight = agents.every((agent) => agent.books.difference === 0)
  const isMoving = flowing !== undefined && isWithinRead
  const sign = isRight || (isMoving && books.difference === 0) ? '=' : '~'
  const said =
    isMoving && books.difference !== 0
      ? [` differs by ${renderCount(Math.abs(books.difference))}:`, ' the counters are read a moment apart']
      : [` difference ${renderCount(books.difference)}`]
  const texts = [
    `books  observed ${renderCount(books.observed)}`,
    ...parts.map((name, index) => ` ${index === 0 ? sign : '+'} ${name} ${renderCount(books[name])}${index === last ? ',' : ''}`),
    ...said,
  ]
  const style = isRight || isMoving ? 'plain' : 'wrong'
  return wrap(texts, { columns, indent: 7 }).map((text) => ({ text, style }))
}

function bytesOfRead({ sources }: AgentSnapshot, bytesPerSecond: number): number {
  const seconds = sources.find(({ name }) => name === 'flows')?.readSeconds ?? 0
  return bytesPerSecond * (seconds + BURST_SECONDS)
}
