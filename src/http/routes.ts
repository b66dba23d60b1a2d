import type { Log } from '../deps.js'
import { offerOf } from '../exporters/negotiation.js'
import { bufferPieces } from '../exporters/pieces.js'
import { createPrometheus } from '../exporters/prometheus.js'
import { answerBuffers, answerText, type Exchange, likesGzip, pathOf } from './answer.js'
import { createPage } from './page.js'
import type { Served } from './served.js'
import { renderSnapshotJson } from './snapshot-json.js'

export interface RouteParts {
  readonly agent: Served
  readonly log: Pick<Log, 'error'>
  readonly version: string
  /** OpenMetrics with `_created` samples. */
  readonly created?: boolean
}

export interface Routes {
  /** Always answers, never rejects. */
  answer(exchange: Exchange): Promise<void>
}

type Route = (exchange: Exchange) => Promise<void> | void

/** So many answers may be on their way at once; each holds its text in memory until it is read. */
const MAX_AT_ONCE = 20

/** Open without a password: the kubelet's probes have none, and what they hear is no secret. */
export const PROBES: readonly string[] = ['/healthz', '/livez', '/-/healthy', '/readyz', '/-/ready']

export function createRoutes(parts: RouteParts): Routes {
  const routes = routesOf(parts)
  const paths = [...routes.keys()]

  return {
    async answer(exchange) {
      const { request, response } = exchange
      const path = pathOf(request)
      const route = routes.get(path)
      if (route === undefined) return answerText(exchange, 404, `There is nothing at this path. There is:\n${paths.join('\n')}\n`)
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return answerText(exchange, 405, `This path can only be read.\n`, { Allow: 'GET, HEAD' })
      }
      try {
        await route(exchange)
      } catch (error) {
        if (!isReaderGone(error)) parts.log.error('a request could not be answered', { path, error: String(error) })
        if (response.headersSent) response.destroy()
        else answerText(exchange, 500, 'This could not be answered; the log says why.\n')
      }
    },
  }
}

function routesOf({ agent, version, created = false }: RouteParts): ReadonlyMap<string, Route> {
  const prometheus = createPrometheus(agent, { created })
  const page = createPage(version)

  const metrics: Route = async (exchange) => {
    const { format, contentType } = offerOf(exchange.request.headers.accept)
    const gzip = likesGzip(exchange)
    await answerBuffers(exchange, { contentType, gzip, buffers: await prometheus.render({ format, gzip }) })
  }
  const snapshot: Route = async (exchange) => {
    const gzip = likesGzip(exchange)
    const buffers = await agent.withSnapshot(async ({ atMs, books, families }) => {
      const all = [...families, ...(await agent.self())]
      return bufferPieces(renderSnapshotJson({ version, atMs, books, families: all, status: agent.status }), gzip)
    })
    await answerBuffers(exchange, { contentType: 'application/json', gzip, buffers })
  }
  const landing: Route = async (exchange) => {
    const gzip = likesGzip(exchange)
    const { html, headers } = await agent.withSnapshot(async (now) => page.render(now, agent.status))
    await answerBuffers(exchange, { contentType: 'text/html; charset=utf-8', headers, gzip, buffers: await bufferPieces([html], gzip) })
  }
  const alive: Route = (exchange) => answerText(exchange, 200, 'ok\n')
  const ready: Route = (exchange) => {
    const { ready: isReady, why, sources } = agent.status
    const missing = sources.filter(({ error }) => error !== '').map(({ name, error }) => `without ${name}: ${error}\n`)
    answerText(exchange, isReady ? 200 : 503, isReady ? ['ready\n', ...missing].join('') : `not ready: ${why}\n`)
  }
  const atMost = limitOf(MAX_AT_ONCE)
  const probe = (path: string): Route => (path.includes('read') ? ready : alive)
  return new Map([
    ['/', atMost(landing)],
    ['/metrics', atMost(metrics)],
    ['/api/v1/snapshot', atMost(snapshot)],
    ...PROBES.map((path) => [path, probe(path)] as const),
  ])
}

function limitOf(max: number): (route: Route) => Route {
  let underWay = 0
  return (route) => async (exchange) => {
    if (underWay >= max) return answerText(exchange, 503, 'Too many answers are on their way; try again.\n', { 'Retry-After': '5' })
    underWay++
    try {
      await route(exchange)
    } finally {
      underWay--
    }
  }
}

/** Who asked has hung up, or read too slowly and was cut off. */
function isReaderGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE' || code === 'ABORT_ERR'
}
