// The endpoints of monitors and dashboards, as strict as Datadog is known to be, and as free with what it adds: ids, times, defaults, another
// order (docs.datadoghq.com/api/latest/monitors and /dashboards). What it refuses it says in Datadog's words.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ObjectSerializer } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/models/ObjectSerializer.js'
import type { Test } from 'tap'

export type Body = Record<string, unknown>

export interface Request {
  readonly method: string
  readonly path: string
}

export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** `hangs up`: without an answer; `takes it`: after it did what it was asked. */
export type Fault = Answer | 'hangs up' | 'hangs up and takes it'

export interface TestDatadog {
  readonly url: string
  readonly monitors: Map<number, Body>
  readonly dashboards: Map<string, Body>
  /** All but those that were refused by a fault. */
  readonly requests: Request[]
  /** Those that change something. */
  readonly writes: () => readonly string[]
  fault: (request: Request) => Fault | undefined
  /** Gives all monitors, whatever tags are asked for. */
  givesAll: boolean
  /** Puts one there as a user would. */
  addMonitor(body: Body): number
  addDashboard(body: Body): string
}

export const KEYS = { api: 'aaaabbbbccccddddaaaabbbbccccdddd', app: '1111222233334444555566667777888899990000' }

export async function startDatadog(t: Pick<Test, 'teardown'>): Promise<TestDatadog> {
  const monitors = new Map<number, Body>()
  const dashboards = new Map<string, Body>()
  const requests: Request[] = []
  let next = 1_000

  const server = createServer((request, response) => {
    void (async () => {
      const text = await textOf(request)
      const path = (request.url ?? '').replace(/\?.*/, '')
      const asked = { method: request.method ?? '', path }
      const fault = datadog.fault(asked)
      const isTaken = fault === undefined || fault === 'hangs up and takes it'
      if (isTaken) requests.push(asked)
      const { status, body, headers } = isTaken ? answerOf(request, text) : fault === 'hangs up' ? { status: 0 } : fault
      if (fault === 'hangs up' || fault === 'hangs up and takes it') return void request.socket.destroy()
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(body === undefined ? '' : JSON.stringify(body))
    })()
  })

  function answerOf(request: IncomingMessage, text: string): Answer {
    const { searchParams, pathname } = new URL(request.url ?? '', 'http://datadog')
    if (request.headers['dd-api-key'] !== KEYS.api || request.headers['dd-application-key'] !== KEYS.app)
      return { status: 403, body: { errors: ['Forbidden'] } }
    const [, kind, id, action] = /^\/api\/v1\/(monitor|dashboard)(?:\/([^/]+))?(?:\/(validate))?$/.exec(pathname) ?? []
    const body = text === '' ? undefined : (JSON.parse(text) as Body)
    if (kind === 'monitor') return answerMonitor({ method: request.method, id, action, body, searchParams })
    if (kind === 'dashboard') return answerDashboard({ method: request.method, id, body, searchParams })
    return { status: 404, body: { errors: ['no such endpoint'] } }
  }

  function answerMonitor({ method, id, action, body, searchParams }: Asked): Answer {
    if (method === 'POST' && (id === 'validate' || action === 'validate')) return judged(body, monitorProblem, () => ({}))
    if (method === 'POST') return judged(body, monitorProblem, (one) => stored(monitors.get(addMonitor(one)) ?? {}))
    if (method === 'GET' && id === undefined) {
      const wanted = searchParams.get('monitor_tags')?.split(',') ?? []
      const some = [...monitors.values()].filter(({ tags }) => datadog.givesAll || wanted.every((tag) => (tags as string[]).includes(tag)))
      const [page, size] = [Number(searchParams.get('page') ?? 0), Number(searchParams.get('page_size') ?? 100)]
      return { status: 200, body: some.slice(page * size, (page + 1) * size).map(stored) }
    }
    const key = Number(id)
    if (!monitors.has(key)) return { status: 404, body: { errors: ['Monitor not found'] } }
    if (method === 'PUT')
      return judged(body, monitorProblem, (one) => {
        monitors.set(key, { ...one, id: key })
        return stored(monitors.get(key) ?? {})
      })
    if (method === 'DELETE') {
      monitors.delete(key)
      return { status: 200, body: { deleted_monitor_id: key } }
    }
    return { status: 405, body: { errors: ['Method Not Allowed'] } }
  }

  function answerDashboard({ method, id, body, searchParams }: Asked): Answer {
    if (method === 'POST') return judged(body, dashboardProblem, (one) => dashboards.get(addDashboard(one)) ?? {})
    if (method === 'GET' && id === undefined) {
      const [start, count] = [Number(searchParams.get('start') ?? 0), Number(searchParams.get('count') ?? 100)]
      const some = [...dashboards.values()].slice(start, start + count)
      const head = ({ id, title, description, layout_type }: Body): Body => ({ id, title, description, layout_type, is_read_only: false })
      return { status: 200, body: { dashboards: some.map(head) } }
    }
    if (!dashboards.has(id ?? '')) return { status: 404, body: { errors: [`Dashboard with ID ${id} not found`] } }
    if (method === 'GET') return { status: 200, body: dashboards.get(id ?? '') }
    if (method === 'PUT')
      return judged(body, dashboardProblem, (one) => {
        dashboards.set(id ?? '', storedDashboard(one, id ?? ''))
        return dashboards.get(id ?? '') ?? {}
      })
    if (method === 'DELETE') {
      dashboards.delete(id ?? '')
      return { status: 200, body: { deleted_dashboard_id: id } }
    }
    return { status: 405, body: { errors: ['Method Not Allowed'] } }
  }

  function addMonitor(body: Body): number {
    const id = next++
    monitors.set(id, { ...body, id })
    return id
  }

  function addDashboard(body: Body): string {
    const id = `abc-${(next++).toString(36)}-xyz`
    dashboards.set(id, storedDashboard(body, id))
    return id
  }

  // The client may take seconds between two requests, and one that is sent as a connection is given up for idle fails.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const datadog: TestDatadog = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    monitors,
    dashboards,
    requests,
    writes: () =>
      requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/validate')).map(({ method, path }) => `${method} ${path}`),
    fault: () => undefined,
    givesAll: false,
    addMonitor,
    addDashboard,
  }
  return datadog
}

interface Asked {
  readonly method: string | undefined
  readonly id: string | undefined
  readonly action?: string | undefined
  readonly body: Body | undefined
  readonly searchParams: URLSearchParams
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

function judged(body: Body | undefined, problemOf: (body: Body) => string | undefined, take: (body: Body) => Body): Answer {
  const problem = body === undefined ? 'The payload is missing' : problemOf(body)
  return problem === undefined ? { status: 200, body: take(body ?? {}) } : { status: 400, body: { errors: [problem] } }
}

const MONITOR_KEYS = ['type', 'name', 'query', 'message', 'tags', 'priority', 'options']
const QUERY =
  /^((?:avg|sum|min|max)\(last_\d+[mhd]\)|change\(avg\(last_\d+[mhd]\),last_\d+[mhd]\)):(.*\b(?:avg|sum|min|max):[\w.]+\{.*) [<>]=? (-?[\d.]+)$/

function monitorProblem(body: Body): string | undefined {
  const strange = Object.keys(body).filter((key) => !MONITOR_KEYS.includes(key))
  if (strange.length > 0) return `Unexpected attribute ${strange[0]}`
  const { query, options = {} } = body as { query: string; options?: Body }
  const [, over = '', inner = '', limit] = QUERY.exec(query) ?? []
  if (limit === undefined) return `The value provided for parameter 'query' is invalid`
  if (unknownIn(body, 'Monitor')) return 'Invalid monitor'
  const { critical, warning } = (options['thresholds'] ?? {}) as { critical?: number; warning?: number }
  if (critical !== Number(limit)) return `Alert threshold (${critical}) does not match that used in the query (${limit})`
  if (warning !== undefined && (query.includes(' > ') ? warning >= critical : warning <= critical))
    return `Warning threshold (${warning}) must be less than the alert threshold`
  const isGrouped = /\} by \{/.test(inner)
  if (options['new_group_delay'] !== undefined && !isGrouped) return 'The new_group_delay option can only be used for multi-alert monitors'
  if (inner.includes('.as_count()') && !over.startsWith('sum')) return 'as_count can only be used with sum'
  return undefined
}

function dashboardProblem(body: Body): string | undefined {
  const { title, tags = [] } = body as { title?: string; tags?: string[] }
  if (title === undefined) return `'title' is a required property`
  if (tags.some((tag) => !tag.startsWith('team:'))) return 'Invalid tags: only team tags'
  return unknownIn(body, 'Dashboard') ? 'Invalid widget definition' : undefined
}

/** The client takes a third of a second for a dashboard, and the same ones come again and again. */
const judgments = new Map<string, boolean>()

function unknownIn(body: Body, type: string): boolean {
  const text = JSON.stringify(body)
  const known = judgments.get(text) ?? isUnknown(body, type)
  judgments.set(text, known)
  return known
}

function isUnknown(body: Body, type: string): boolean {
  try {
    return JSON.stringify(ObjectSerializer.deserialize(body, type, '')).includes('"_unparsed":true')
  } catch {
    return true
  }
}

/** As it comes back: with all that Datadog adds, and tags in its own order. */
function stored(one: Body): Body {
  const { options, tags, type, ...rest } = one as { options: Body; tags: string[]; type: string }
  const defaults = { no_data_timeframe: null, new_host_delay: 300, silenced: {}, locked: false }
  return {
    ...defaults,
    options: { ...defaults, ...options, renotify_interval: options['renotify_interval'] || null },
    tags: tags.toReversed(),
    type: type === 'query alert' ? 'metric alert' : type,
    ...rest,
    multi: true,
    created: '2026-11-22T04:00:00.000000+00:00',
    modified: '2026-11-22T04:00:00.000000+00:00',
    overall_state: 'OK',
    matching_downtimes: [],
    restricted_roles: null,
    creator: { name: 'A', handle: 'a@example.com', email: 'a@example.com' },
  }
}

function storedDashboard(one: Body, id: string): Body {
  let at = 1
  const withIds = (widgets: Body[]): Body[] =>
    widgets.map((widget) => {
      const definition = widget['definition'] as Body
      const inside = definition['widgets'] as Body[] | undefined
      return { id: at++, ...widget, definition: inside ? { ...definition, widgets: withIds(inside) } : definition }
    })
  const { widgets, ...rest } = one as { widgets: Body[] }
  return {
    id,
    url: `/dashboard/${id}/meshtoll`,
    author_handle: 'a@example.com',
    created_at: '2026-11-22T04:00:00.000000+00:00',
    modified_at: '2026-11-22T04:00:00.000000+00:00',
    notify_list: null,
    template_variable_presets: null,
    is_read_only: false,
    ...rest,
    widgets: withIds(widgets),
  }
}
