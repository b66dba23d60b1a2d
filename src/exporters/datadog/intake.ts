// One request to the intake, and what it came to. Loaded only where Datadog is sent to: its client takes some megabytes.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import request from 'undici/lib/api/api-request.js'
import Client from 'undici/lib/dispatcher/client.js'
import { untilAborted, within } from '../../deadline.js'
import type { Clock } from '../../deps.js'
import { createTunnel, ProxyFailed } from '../../proxy/tunnel.js'
import type { Encoding } from './body.js'

export type Outcome =
  /** `complaint`: errors that it names all the same; else empty. */
  | { readonly kind: 'accepted'; readonly complaint: string }
  | { readonly kind: 'too large' }
  /** For good. `why`: in the intake's words. */
  | { readonly kind: 'refused'; readonly why: string }
  /** `mayHaveIt`: nobody can say whether the intake took it. `afterMs`: its own wish. */
  | { readonly kind: 'failed'; readonly why: string; readonly mayHaveIt: boolean; readonly afterMs: number; readonly isKey: boolean }

export interface Intake {
  /** One attempt. Rejects with the signal's reason when aborted, and for nothing else. */
  send(body: Uint8Array, options: { readonly encoding: Encoding; readonly key: string; readonly signal: AbortSignal }): Promise<Outcome>
  close(): Promise<void>
}

const PATH = '/api/v2/series'
const ANSWERS_WITHIN_MS = 20_000
const KEEP_ALIVE_MS = 60_000
const MAX_ANSWER_BYTES = 16_384
const MAX_WORDS = 200
const MAX_AFTER_MS = 300_000
const [ACCEPTED, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, TOO_LARGE, TOO_MANY] = [202, 400, 401, 403, 413, 429]
/** Whoever answers so has read nothing of it. */
const NOT_TAKEN = [UNAUTHORIZED, FORBIDDEN, 404, 405, TOO_MANY]
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it hung up',
  UND_ERR_SOCKET: 'it hung up',
  UND_ERR_CONNECT_TIMEOUT: 'it cannot be connected to',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up',
}
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']

/** `url`: without `/api/v2/series`; with a path where the intake is behind one. `proxy`: through which it is reached. */
export function createIntake(url: string, { clock }: { readonly clock: Clock }, proxy?: URL): Intake {
  const { origin, pathname } = new URL(url)
  const path = `${pathname.replace(/\/+$/, '')}${PATH}`
  const connect = proxy ? createTunnel(proxy, { timeoutMs: ANSWERS_WITHIN_MS }) : { timeout: ANSWERS_WITHIN_MS }
  const options = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 0, bodyTimeout: 0, connect }
  let client: Client | undefined

  async function attempt(body: Uint8Array, encoding: Encoding, key: string, signal: AbortSignal): Promise<Outcome> {
    client ??= new Client(origin, options)
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding, 'dd-api-key': key, 'user-agent': 'meshtoll' }
    const asked = request.call(client, { path, method: 'POST', headers, body, signal })
    const answer = await untilAborted(asked, signal)
    const text = await readStart(answer.body)
    return outcomeOf(answer.statusCode, { headers: answer.headers, text: text.replaceAll(key, '***'), nowMs: clock.now() })
  }

  /** What is left of an exchange, or comes late, is nobody's. */
  function leave(): void {
    client?.destroy().catch(() => undefined)
    client = undefined
  }

  return {
    async send(body, { encoding, key, signal }) {
      try {
        return await within(clock, { ms: ANSWERS_WITHIN_MS, signal }, (limited) => attempt(body, encoding, key, limited))
      } catch (error) {
        leave()
        signal.throwIfAborted()
        const { code = '', message } = error as NodeJS.ErrnoException
        return {
          kind: 'failed',
          why: REASONS[code] ?? (code || wordsOf(message)),
          mayHaveIt: !NOT_SENT.includes(code) && !(error instanceof ProxyFailed),
          afterMs: 0,
          isKey: false,
        }
      }
    },
    async close() {
      await client?.destroy()
    },
  }
}

interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly nowMs: number
}

export function outcomeOf(status: number, { headers, text, nowMs }: Answer): Outcome {
  if (status === ACCEPTED && isObject(text)) return { kind: 'accepted', complaint: namedIn(text) ?? '' }
  if (status === TOO_LARGE) return { kind: 'too large' }
  const words = namedIn(text) ?? wordsOf(text)
  if (status === BAD_REQUEST) return { kind: 'refused', why: words || 'it does not say why' }
  // Datadog says 202 and an object, as does all that takes its place. The page of a captive portal is nobody's receipt.
  const stranger = status < 300 ? ', and not as Datadog does: somebody in between may answer' : ''
  const isKey = status === UNAUTHORIZED || status === FORBIDDEN
  const remedy = isKey ? '; give an API key of an organisation at this site' : ''
  const why = `it answers ${status}${stranger}${words === '' ? '' : `: ${words}`}${remedy}`
  return { kind: 'failed', why, mayHaveIt: !NOT_TAKEN.includes(status), afterMs: afterOf(headers, nowMs), isKey }
}

/** In seconds both, or Retry-After as a date. */
function afterOf(headers: IncomingHttpHeaders, nowMs: number): number {
  const times = [headers['x-ratelimit-reset'], headers['retry-after']].map((text) => {
    const value = String(text ?? '')
    if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
    return value === '' ? 0 : Date.parse(value) - nowMs || 0
  })
  return Math.min(MAX_AFTER_MS, Math.max(0, ...times))
}

/** Of one that is cut it is known how it begins. */
function isObject(text: string): boolean {
  if (Buffer.byteLength(text) >= MAX_ANSWER_BYTES) return text.trimStart().startsWith('{')
  try {
    const said: unknown = JSON.parse(text)
    return typeof said === 'object' && said !== null && !Array.isArray(said)
  } catch {
    return false
  }
}

/** `{"errors":["..."]}`; undefined: not its own words, then, but those of something in between. */
function namedIn(text: string): string | undefined {
  try {
    const { errors } = JSON.parse(text) as { readonly errors?: unknown }
    return Array.isArray(errors) ? wordsOf(errors.map(String).join('; ')) : undefined
  } catch {
    return undefined
  }
}

const wordsOf = (text: string): string =>
  text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_WORDS)

async function readStart(body: Readable): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of body) {
    pieces.push(piece as Buffer)
    bytes += (piece as Buffer).length
    if (bytes >= MAX_ANSWER_BYTES) break
  }
  return Buffer.concat(pieces).toString('utf8', 0, MAX_ANSWER_BYTES)
}
