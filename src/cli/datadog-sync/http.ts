// How the client of Datadog reaches it: within a time limit, again where that cannot do harm, and no faster than its rate limits allow.
import type {
  HttpLibrary,
  RequestContext,
  ResponseContext,
} from '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js'
import { within } from '../../deadline.js'
import type { Clock } from '../../deps.js'
import { createBackoff } from '../../kube/backoff.js'

export interface HttpParts {
  readonly fetch: typeof globalThis.fetch
  /** Are in no message. */
  readonly secrets: readonly string[]
  readonly signal: AbortSignal
  /** Of a wait that people may wonder about. */
  say(line: string): void
}

export interface HttpDeps {
  readonly clock: Clock
  readonly random: () => string
}

/** An answer that is none, in Datadog's words. `status` is 0 where there was no answer. */
export class DatadogError extends Error {
  override readonly name = 'DatadogError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const ANSWERS_WITHIN_MS = 30_000
const ATTEMPTS = 5
const MAX_WAIT_S = 300
/** Waits shorter than this need no line. */
const SAID_FROM_S = 5
const MAX_WORDS = 400
/** As the status of an answer that did not come. */
const NO_ANSWER = 0
const [REQUEST_TIMEOUT, TOO_MANY, UNAUTHORIZED, FORBIDDEN] = [408, 429, 401, 403]

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export function createHttp({ fetch, secrets, signal, say }: HttpParts, { clock, random }: HttpDeps): HttpLibrary {
  /** Datadog counts each endpoint apart; one that is used up holds back all, which costs little. */
  let notBeforeMs = 0

  async function ask(request: RequestContext): Promise<Answer> {
    const body = request.getBody()
    return await within(clock, { ms: ANSWERS_WITHIN_MS, signal }, async (limited) => {
      const response = await fetch(request.getUrl(), {
        method: String(request.getHttpMethod()),
        headers: request.getHeaders(),
        ...(typeof body === 'string' ? { body } : {}),
        signal: limited,
        // Keys would go along, wherever it leads.
        redirect: 'manual',
      })
      return { status: response.status, headers: response.headers, text: await response.text() }
    })
  }

  async function wait(ms: number, why: string): Promise<void> {
    if (ms >= SAID_FROM_S * 1000) say(`waiting ${Math.ceil(ms / 1000)} s: ${why}`)
    await clock.sleep(ms, signal)
  }

  function heed({ headers }: Answer): void {
    if (headers.get('x-ratelimit-remaining') === '0') notBeforeMs = clock.monotonic() + secondsOf(headers) * 1000
  }

  async function attempt(request: RequestContext): Promise<Answer> {
    const early = notBeforeMs - clock.monotonic()
    if (early > 0) await wait(early, 'the rate limit of Datadog is used up')
    try {
      const answer = await ask(request)
      heed(answer)
      return answer
    } catch (error) {
      signal.throwIfAborted()
      const { message, cause } = error as Error
      const why = cause instanceof Error ? (codeOf(cause) ?? cause.message) : message
      return { status: NO_ANSWER, headers: new Headers(), text: `${new URL(request.getUrl()).origin} does not answer: ${why}` }
    }
  }

  const hide = (text: string): string => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '***'), text)

  return {
    async send(request) {
      const backoff = createBackoff(random)
      for (let left = ATTEMPTS - 1; ; left--) {
        const answer = await attempt(request)
        if (answer.status >= 200 && answer.status < 300) return contextOf(answer)
        const { status, message } = errorOf(answer, hide)
        if (left === 0 || !mayBeRepeated(request, status)) throw new DatadogError(status, message)
        if (status === TOO_MANY) notBeforeMs = clock.monotonic() + Math.max(1, secondsOf(answer.headers)) * 1000
        else await wait(backoff.nextMs(), message)
      }
    },
  }
}

/** What was made and not answered would be made twice; the next run finds it by its tag. */
function mayBeRepeated(request: RequestContext, status: number): boolean {
  if (status === TOO_MANY) return true
  const isPassing = status === NO_ANSWER || status === REQUEST_TIMEOUT || status >= 500
  const isPost = String(request.getHttpMethod()) === 'POST'
  return isPassing && (!isPost || request.getUrl().endsWith('/validate'))
}

function secondsOf(headers: Headers): number {
  const seconds = Number(headers.get('x-ratelimit-reset') ?? headers.get('retry-after'))
  return Number.isFinite(seconds) ? Math.min(MAX_WAIT_S, Math.max(0, seconds)) : 0
}

const codeOf = (error: NodeJS.ErrnoException): string | undefined => error.code

const contextOf = ({ status, headers, text }: Answer): ResponseContext => ({
  httpStatusCode: status,
  headers: Object.fromEntries(headers),
  body: { text: () => Promise.resolve(text), binary: () => Promise.resolve(Buffer.from(text)) },
  getParsedHeader: () => ({}),
  getBodyAsFile: () => Promise.reject(new Error('no file is asked for')),
})

function errorOf({ status, text }: Answer, hide: (text: string) => string): { readonly status: number; readonly message: string } {
  if (status === NO_ANSWER) return { status, message: hide(text) }
  const words = hide(wordsOf(text))
  const remedy =
    status === UNAUTHORIZED || status === FORBIDDEN
      ? '; give an API key and an application key of this organisation, which may write monitors and dashboards'
      : ''
  return { status, message: `Datadog answers ${status}${words === '' ? '' : `: ${words}`}${remedy}` }
}

/** `{"errors":["..."]}`; else what it begins with. */
function wordsOf(text: string): string {
  const plain = (words: string): string =>
    words
      .replaceAll(/[\p{Cc}\s]+/gu, ' ')
      .trim()
      .slice(0, MAX_WORDS)
  try {
    const { errors } = JSON.parse(text) as { readonly errors?: unknown }
    if (Array.isArray(errors)) return plain(errors.map(String).join('; '))
  } catch {
    // Then it is what somebody in between says.
  }
  return plain(text)
}
