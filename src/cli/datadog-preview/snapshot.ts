// What an agent serves at /api/v1/snapshot, as families that can be taken on from here.
import { catalogue } from '../../catalogue.js'
import type { Deps } from '../../deps.js'
import type { Family, FamilySnapshot, Labels, Series } from '../../model.js'
import { createHttpGet, Unanswered } from '../../sources/http-get.js'

export interface AgentSnapshot {
  readonly node: string
  readonly families: readonly FamilySnapshot[]
  /** Of families that are served, and that this version does not know. */
  readonly strangers: readonly string[]
}

export interface Asked {
  /** Of the agent, without a password. */
  readonly url: string
  readonly snapshot: AgentSnapshot
}

const PATH = '/api/v1/snapshot'
const ANSWERS_WITHIN_MS = 10_000
/** Of some hundred thousand series. */
const MAX_BYTES = 256 << 20
const UNAUTHORIZED = 401

/** The first that answers. Rejects, in one line, where none does. */
export async function askAgent(urls: readonly string[], deps: Pick<Deps, 'clock'>, signal: AbortSignal): Promise<Asked> {
  const http = createHttpGet({ deadlineMs: ANSWERS_WITHIN_MS, maxBytes: MAX_BYTES }, deps)
  const failures: string[] = []
  try {
    for (const url of urls) {
      const { origin, pathname, username, password } = new URL(url)
      const place = `${origin}${pathname.replace(/\/+$/, '')}`
      const user = username === '' ? undefined : { name: decodeURIComponent(username), password: decodeURIComponent(password) }
      try {
        const text = await http.read(`${place}${PATH}`, wholeOf, signal, { user })
        return { url: place, snapshot: parseSnapshot(text) }
      } catch (error) {
        signal.throwIfAborted()
        failures.push(`${place}: ${whyOf(error)}`)
      }
    }
  } finally {
    await http.close()
  }
  throw new Error(`no agent answers at ${failures.join(', nor at ')}; start one, or say where it is with --agent.url`)
}

function whyOf(error: unknown): string {
  const { message } = error as Error
  return error instanceof Unanswered && error.status === UNAUTHORIZED ? `${message}: write http://USER:PASSWORD@HOST:PORT there` : message
}

async function wholeOf(pieces: AsyncIterable<string>): Promise<string> {
  const texts: string[] = []
  for await (const piece of pieces) texts.push(piece)
  return texts.join('')
}

/** What is no series of its family is left out. Throws where it is no snapshot. */
export function parseSnapshot(text: string): AgentSnapshot {
  const { node, series } = objectIn(text)
  if (typeof node !== 'string' || !isRecord(series)) throw new Error('what answers is no agent of meshtoll')
  const known = new Map<string, Family>(catalogue.map((family) => [family.name, family]))
  const names = Object.keys(series)
  const families = names.flatMap((name) => {
    const [family, rows] = [known.get(name), series[name]]
    return family && Array.isArray(rows) ? [{ family, series: rows.flatMap((row) => seriesOf(row, family) ?? []) }] : []
  })
  return { node, families, strangers: names.filter((name) => !known.has(name)) }
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const said: unknown = JSON.parse(text)
    return isRecord(said) ? said : {}
  } catch {
    return {}
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function seriesOf(row: unknown, { kind }: Family): Series | undefined {
  if (!isRecord(row) || !isRecord(row['labels']) || typeof row['value'] !== 'number') return undefined
  const { labels, value, sum, buckets } = row
  if (!Object.values(labels).every((text) => typeof text === 'string')) return undefined
  if (kind !== 'histogram') return { labels: labels as Labels, value }
  if (typeof sum !== 'number' || !Array.isArray(buckets) || !buckets.every(isBucket)) return undefined
  // The last one is left out there.
  return { labels: labels as Labels, value, histogram: { sum, buckets: [...buckets, { le: Number.POSITIVE_INFINITY, count: value }] } }
}

const isBucket = (one: unknown): one is { readonly le: number; readonly count: number } =>
  isRecord(one) && typeof one['le'] === 'number' && typeof one['count'] === 'number'
