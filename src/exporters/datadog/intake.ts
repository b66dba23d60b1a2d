// One request to the intake, and what it came to. By the client of Node itself, which is loaded anyway: undici would take a node that needs it
// for nothing else another 9 MB.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { TimedOut, untilAborted, within } from '../../deadline.js'
import type { Clock } from '../../deps.js'
import type { Encoding } from './body.js'
import { type Connection, connect } from './connection.js'

export type Outcome =
  /** `complaint`: errors that it names all the same; else empty. */
  | { readonly kind: 'accepted'; readonly complaint: string }
  | { readonly kind: 'too large' }
  /** For good. `why`: in the intake's words. */
  | { readonly kind: 'refused'; readonly why: string }
  /** `mayHaveIt`: nobody can say whether the intake took it. `afterMs`: its own wish. `isEncoding`: it cannot read this one. */
  | {
      readonly kind: 'failed'
      readonly why: string
      readonly mayHaveIt: boolean
      readonly afterMs: number
      readonly isKey: boolean
      readonly isEncoding?: true
    }

export interface SendOptions {
  readonly encoding: Encoding
  readonly key: string
  readonly signal: AbortSignal
}

export interface Intake {
  /** One attempt. Rejects with the signal's reason when aborted, and for nothing else. */
  send(body: Uint8Array, options: SendOptions): Promise<Outcome>
  close(): void
}

const PATH = '/api/v2/series'
const ANSWERS_WITHIN_MS = 20_000
const MAX_ANSWER_BYTES = 16_384
const MAX_WORDS = 200
const MAX_AFTER_MS = 300_000
const [ACCEPTED, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, TOO_LARGE, UNSUPPORTED, TOO_MANY] = [202, 400, 401, 403, 413, 415, 429]
/** Whoever answers so has read nothing of it. */
const NOT_TAKEN = [UNAUTHORIZED, FORBIDDEN, 404, 405, UNSUPPORTED, TOO_MANY]
const NO_CONNECTION = 'it cannot be connected to'
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it hung up',
  EPIPE: 'it hung up',
  ETIMEDOUT: NO_CONNECTION,
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up',
}

/** `url`: without `/api/v2/series`; with a path where the intake is behind one. `proxy`: through which it is reached. */
export function createIntake(url: string, { clock }: { readonly clock: Clock }, proxy?: URL): Intake {
  const target = new URL(`${url.replace(/\/+$/, '')}${PATH}`)
  let connection: Connection | undefined

  async function attempt(body: Uint8Array, { encoding, key, signal }: SendOptions, left: () => void): Promise<Outcome> {
    connection ??= await connect(target, { proxy, timeoutMs: ANSWERS_WITHIN_MS })
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding, 'dd-api-key': key, 'user-agent': 'meshtoll' }
    const answer = await untilAborted(connection.post(body, { headers, signal, left }), signal)
    const text = await untilAborted(readStart(answer), signal)
    return outcomeOf(answer.statusCode ?? 0, { headers: answer.headers, text: text.replaceAll(key, '***'), nowMs: clock.now() })
  }

  /** What is left of an exchange, or comes late, is nobody's. */
  function leave(): void {
    connection?.close()
    connection = undefined
  }

  return {
    async send(body, options) {
      const { signal } = options
      let mayHaveIt = false
      const left = (): void => {
        mayHaveIt = true
      }
      try {
        return await within(clock, { ms: ANSWERS_WITHIN_MS, signal }, (limited) => attempt(body, { ...options, signal: limited }, left))
      } catch (error) {
        leave()
        signal.throwIfAborted()
        return { kind: 'failed', why: whyOf(error as Error, mayHaveIt), mayHaveIt, afterMs: 0, isKey: false }
      }
    },
    close: leave,
  }
}

function whyOf(error: NodeJS.ErrnoException, mayHaveIt: boolean): string {
  const { code = '', message } = error
  if (error instanceof TimedOut && !mayHaveIt) return NO_CONNECTION
  return REASONS[code] ?? (code || wordsOf(message))
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
  const encoding = status === UNSUPPORTED ? { isEncoding: true as const } : {}
  return { kind: 'failed', why, mayHaveIt: !NOT_TAKEN.includes(status), afterMs: afterOf(headers, nowMs), isKey, ...encoding }
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
