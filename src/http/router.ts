// From a path to who answers it.
import type { Log } from '../deps.js'
import { answerText, type Exchange, pathOf } from './answer.js'

/** May reject: then what is not answered yet is answered by 500, and the log says why. */
export type Route = (exchange: Exchange) => Promise<void> | void

export interface Routed {
  readonly route: Route
  /** GET also stands for HEAD, and is the default. */
  readonly method?: 'GET' | 'POST'
  /** Whether it is answered without the passwords of the web configuration. */
  readonly isOpen?: boolean
}

export interface Routes {
  /** Always answers, never rejects. */
  answer(exchange: Exchange): Promise<void>
  isOpen(path: string): boolean
}

/** Open: the kubelet's probes have no password, and what they hear is no secret. */
const ALIVE: readonly string[] = ['/healthz', '/livez', '/-/healthy']
const READY: readonly string[] = ['/readyz', '/-/ready']

export function createRouter(routed: Readonly<Record<string, Routed>>, { log }: { readonly log: Pick<Log, 'error'> }): Routes {
  const table = new Map(Object.entries(routed))
  const paths = [...table.keys()]

  return {
    isOpen: (path) => table.get(path)?.isOpen ?? false,
    async answer(exchange) {
      const { request, response } = exchange
      const path = pathOf(request)
      const found = table.get(path)
      if (found === undefined) return answerText(exchange, 404, `There is nothing at this path. There is:\n${paths.join('\n')}\n`)
      const { route, method = 'GET' } = found
      if (request.method !== method && !(method === 'GET' && request.method === 'HEAD')) return refuseMethod(exchange, method)
      try {
        await route(exchange)
      } catch (error) {
        if (!isReaderGone(error)) log.error('a request could not be answered', { path, error: String(error) })
        if (response.headersSent) response.destroy()
        else answerText(exchange, 500, 'This could not be answered; the log says why.\n')
      }
    },
  }
}

/** `/livez`, `/readyz` and the other names that they go by. */
export function probesOf(ready: Route): Readonly<Record<string, Routed>> {
  const alive: Route = (exchange) => answerText(exchange, 200, 'ok\n')
  const open = (route: Route) => (path: string) => [path, { route, isOpen: true }] as const
  return Object.fromEntries([...ALIVE.map(open(alive)), ...READY.map(open(ready))])
}

export function limitOf(max: number): (route: Route) => Route {
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

function refuseMethod(exchange: Exchange, method: 'GET' | 'POST'): void {
  if (method === 'POST') answerText(exchange, 405, 'This path takes POST only.\n', { Allow: 'POST' })
  else answerText(exchange, 405, 'This path can only be read.\n', { Allow: 'GET, HEAD' })
}

/** Who asked has hung up, or read too slowly and was cut off. */
function isReaderGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE' || code === 'ABORT_ERR'
}
