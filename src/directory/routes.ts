// What the directory answers (docs/directory.md).
import type { Log } from '../deps.js'
import { answerText, type Exchange } from '../http/answer.js'
import { BodyTooLarge, BodyUnreadable, readBody } from '../http/body.js'
import { createRouter, probesOf, type Route, type Routes } from '../http/router.js'
import { createSlots } from '../slots.js'
import { parseWatch, parseWish, tooMany, WrongRequest } from './requests.js'
import type { Connection } from './session.js'
import type { Sessions } from './sessions.js'
import type { Verdict, WhoAsks } from './who-asks.js'

export interface RouteParts {
  readonly whoAsks: WhoAsks
  readonly sessions: Sessions
  /** Why it cannot answer yet; '' when it can. */
  readonly notReady: () => string
  readonly metrics: Route
  readonly log: Pick<Log, 'warn' | 'error'>
}

/** 100,000 addresses of IPv6 are half of it. */
const MOST_BYTES = 8 << 20
/** Bodies in memory at once; others wait on their wires. */
const BODIES_AT_ONCE = 8
const REFUSALS: Readonly<Record<Exclude<Verdict, 'admitted'>, readonly [status: number, text: string]>> = {
  nobody: [401, 'A token of a ServiceAccount with the audience meshtoll is needed.\n'],
  stranger: [403, 'This token is of somebody who may not ask; directory.agents names the ServiceAccounts that may.\n'],
}
const RETRY = { 'Retry-After': '2' }

export function createDirectoryRoutes({ whoAsks, sessions, notReady, metrics, log }: RouteParts): Routes {
  const bodies = createSlots(BODIES_AT_ONCE)
  let complaint = ''

  async function judge({ request }: Exchange): Promise<Verdict | undefined> {
    try {
      const verdict = await whoAsks.judge(request.headers.authorization)
      complaint = ''
      return verdict
    } catch (error) {
      const { message } = error as Error
      if (message !== complaint) log.warn('agents wait: their tokens cannot be judged', { error: message })
      complaint = message
      return undefined
    }
  }

  /** Whether it goes on; else it is answered. */
  async function isAdmitted(exchange: Exchange): Promise<boolean> {
    const why = notReady()
    const verdict = why === '' ? await judge(exchange) : undefined
    if (verdict === 'admitted') return true
    if (verdict === undefined) answerText(exchange, 503, `${why || 'The API server cannot be asked whose token this is'}.\n`, RETRY)
    else answerText(exchange, ...REFUSALS[verdict], verdict === 'nobody' ? { 'WWW-Authenticate': 'Bearer' } : {})
    return false
  }

  const forAgents =
    (answer: (exchange: Exchange, body: string) => void): Route =>
    async (exchange) => {
      if (!(await isAdmitted(exchange))) return
      try {
        answer(exchange, await bodies(() => readBody(exchange.request, MOST_BYTES)))
      } catch (error) {
        refuse(exchange, error as Error)
      }
    }

  const watch = forAgents((exchange, body) => {
    const asking = parseWatch(body)
    const { response } = exchange
    if (response.destroyed) return
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' })
    const session = sessions.open(asking, connectionOf(exchange))
    response.on('close', session.close).on('error', session.close)
  })

  const addresses = forAgents((exchange, body) => {
    const { session: id, ...wish } = parseWish(body)
    const session = sessions.find(id)
    if (!session) return answerText(exchange, 404, 'There is no such session; begin anew.\n')
    if (session.change(wish) === 'too many') throw tooMany()
    exchange.response.writeHead(204).end()
    session.tell()
  })

  const ready: Route = (exchange) => {
    const why = notReady()
    answerText(exchange, why === '' ? 200 : 503, why === '' ? 'ready\n' : `not ready: ${why}\n`)
  }

  return createRouter(
    {
      // Not by the passwords of the web configuration: agents have tokens.
      '/v1/watch': { method: 'POST', isOpen: true, route: watch },
      '/v1/addresses': { method: 'POST', isOpen: true, route: addresses },
      '/metrics': { route: metrics },
      ...probesOf(ready),
    },
    { log },
  )
}

/** Throws what is no mistake of whoever asks. */
function refuse(exchange: Exchange, error: Error): void {
  const text = `${error.message}\n`
  if (error instanceof WrongRequest || error instanceof BodyUnreadable) answerText(exchange, 400, text)
  else if (error instanceof BodyTooLarge) answerText(exchange, 413, text, { Connection: 'close' })
  else throw error
}

function connectionOf({ response }: Exchange): Connection {
  return {
    // What cannot be sent any more is followed by its end.
    write: (text, sent) => void response.write(text, (error) => (error ? undefined : sent())),
    end: () => response.end(),
  }
}
