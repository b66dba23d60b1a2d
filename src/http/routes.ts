// What an agent answers.
import type { Log } from '../deps.js'
import { offerOf } from '../exporters/negotiation.js'
import { bufferPieces } from '../exporters/pieces.js'
import { createPrometheus, type PrometheusParts } from '../exporters/prometheus.js'
import { answerBuffers, answerText, likesGzip } from './answer.js'
import { createPage } from './page.js'
import { createRouter, limitOf, probesOf, type Route, type Routes } from './router.js'
import type { Served } from './served.js'
import { renderSnapshotJson } from './snapshot-json.js'

export interface RouteParts {
  readonly agent: Served
  readonly log: Pick<Log, 'error'>
  readonly version: string
  /** OpenMetrics with `_created` samples. */
  readonly created?: boolean
}

/** So many answers may be on their way at once; each holds its text in memory until it is read. */
const MAX_AT_ONCE = 20
/** No rate is taken of it. */
const AS_COUNTED = { zeroFirst: false }

export function createRoutes({ agent, log, version, created = false }: RouteParts): Routes {
  const page = createPage(version)

  const snapshot: Route = async (exchange) => {
    const gzip = likesGzip(exchange)
    const buffers = await agent.withSnapshot(async ({ atMs, books, families }) => {
      const all = [...families, ...(await agent.self())]
      return bufferPieces(renderSnapshotJson({ version, atMs, books, families: all, status: agent.status }), gzip)
    }, AS_COUNTED)
    await answerBuffers(exchange, { contentType: 'application/json', gzip, buffers })
  }
  const landing: Route = async (exchange) => {
    const gzip = likesGzip(exchange)
    const { html, headers } = await agent.withSnapshot(async (now) => page.render(now, agent.status), AS_COUNTED)
    await answerBuffers(exchange, { contentType: 'text/html; charset=utf-8', headers, gzip, buffers: await bufferPieces([html], gzip) })
  }
  const ready: Route = (exchange) => {
    const { ready: isReady, why, sources } = agent.status
    const missing = sources.filter(({ error }) => error !== '').map(({ name, error }) => `without ${name}: ${error}\n`)
    answerText(exchange, isReady ? 200 : 503, isReady ? ['ready\n', ...missing].join('') : `not ready: ${why}\n`)
  }
  const atMost = limitOf(MAX_AT_ONCE)
  return createRouter(
    {
      '/': { route: atMost(landing) },
      '/metrics': { route: atMost(createMetricsRoute(agent, { created })) },
      '/api/v1/snapshot': { route: atMost(snapshot) },
      ...probesOf(ready),
    },
    { log },
  )
}

/** For Prometheus, in the format that it likes best. */
export function createMetricsRoute(served: PrometheusParts, options: { readonly created?: boolean } = {}): Route {
  const prometheus = createPrometheus(served, options)
  return async (exchange) => {
    const { format, contentType } = offerOf(exchange.request.headers.accept)
    const gzip = likesGzip(exchange)
    await answerBuffers(exchange, { contentType, gzip, buffers: await prometheus.render({ format, gzip }) })
  }
}
