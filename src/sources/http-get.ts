// GET over plain HTTP to many servers, such as the proxies of a node. Loaded only where there are any: its client takes some megabytes.
import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import request from 'undici/lib/api/api-request.js'
import Client from 'undici/lib/dispatcher/client.js'
import { TimedOut, untilAborted, within } from '../deadline.js'
import type { Deps } from '../deps.js'

/** `message`: in words that are the same for all who fail alike, so without the address. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number

  constructor(message: string, { status = 0, cause }: { readonly status?: number; readonly cause?: unknown } = {}) {
    super(message, { cause })
    this.status = status
  }
}

export interface HttpGet {
  /** The whole body of a 200. Rejects with Unanswered for whatever else, and with the signal's reason when aborted. */
  get(url: string, signal: AbortSignal): Promise<string>
  /** The same of a body that may be long, and is not kept: what `read` makes of its pieces, a failure of which is a reason as well. */
  read<T>(url: string, read: (pieces: AsyncIterable<string>) => Promise<T>, signal: AbortSignal, shown?: Shown): Promise<T>
  /** No more is asked there for now: ends its connection. */
  leave(url: string): void
  close(): Promise<void>
}

export interface Shown {
  /** As a bearer token. */
  readonly token?: string | undefined
}

interface Opening extends Shown {
  readonly packed: boolean
  readonly signal: AbortSignal
}

export interface HttpGetOptions {
  /** From the connection to the last byte. */
  readonly deadlineMs: number
  /** Of a body, unpacked. */
  readonly maxBytes: number
}

const OK = 200
/** To pack less takes both sides more time than the bytes do, which do not leave the node. */
const PACKED_FROM = 65_536
/** Longer than any interval that is usual; a pilot-agent keeps an idle connection for 90 s. */
const KEEP_ALIVE_MS = 85_000
const PACKED = { 'accept-encoding': 'gzip' }
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it hung up',
  UND_ERR_SOCKET: 'it hung up',
  UND_ERR_CONNECT_TIMEOUT: 'it cannot be connected to',
  ETIMEDOUT: 'it cannot be connected to',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ENOTFOUND: 'its name is not known',
}

const unpack = promisify(gunzip)

export function createHttpGet({ deadlineMs, maxBytes }: HttpGetOptions, { clock }: Pick<Deps, 'clock'>): HttpGet {
  /** By URL: whoever fails loses the connection, and only its own. */
  const clients = new Map<string, Client>()
  /** Whose last answer was long. */
  const long = new Set<string>()

  function clientOf(url: string): Client {
    const known = clients.get(url)
    if (known) return known
    const options = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: deadlineMs } }
    const client = new Client(new URL(url).origin, options)
    clients.set(url, client)
    return client
  }

  function leave(url: string): void {
    clients
      .get(url)
      ?.destroy()
      .catch(() => undefined)
    clients.delete(url)
    long.delete(url)
  }

  async function open(url: string, { packed, signal, token }: Opening) {
    const { pathname, search } = new URL(url)
    const asked = request.call(clientOf(url), {
      path: `${pathname}${search}`,
      method: 'GET',
      headers: { accept: 'text/plain', 'user-agent': 'meshtoll', ...(packed ? PACKED : {}), ...authorizationOf(token) },
      signal,
    })
    // undici does not notice an abort while it connects.
    const { statusCode, headers, body } = await untilAborted(asked, signal)
    if (statusCode !== OK) throw new Unanswered(`it answers ${statusCode}`, { status: statusCode })
    return { headers, body }
  }

  async function ask(url: string, signal: AbortSignal): Promise<string> {
    const { headers, body } = await open(url, { packed: long.has(url), signal })
    const bytes = await readWhole(body, maxBytes)
    const whole = headers['content-encoding'] === 'gzip' ? await unpack(bytes, { maxOutputLength: maxBytes }) : bytes
    if (whole.length >= PACKED_FROM) long.add(url)
    else long.delete(url)
    return whole.toString('utf8')
  }

  async function answered<T>(url: string, signal: AbortSignal, asked: (limited: AbortSignal) => Promise<T>): Promise<T> {
    // All that are asked at once listen to it; Node takes more than ten for a leak, and warns.
    setMaxListeners(0, signal)
    try {
      return await within(clock, { ms: deadlineMs, signal }, asked)
    } catch (error) {
      // What is left of the answer, or comes late, is nobody's.
      leave(url)
      signal.throwIfAborted()
      throw unansweredOf(error, { deadlineMs, maxBytes })
    }
  }

  return {
    leave,
    get: (url, signal) => answered(url, signal, (limited) => ask(url, limited)),
    read: (url, read, signal, shown = {}) =>
      answered(url, signal, async (limited) => {
        const { body } = await open(url, { ...shown, packed: false, signal: limited })
        return read(textsOf(body, maxBytes))
      }),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.destroy()))
      clients.clear()
    },
  }
}

const authorizationOf = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` })

class TooLarge extends Error {}

async function* textsOf(body: Readable, maxBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const piece of body) {
    bytes += (piece as Buffer).length
    if (bytes > maxBytes) throw new TooLarge()
    yield decoder.decode(piece as Buffer, { stream: true })
  }
}

async function readWhole(body: Readable, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of body) {
    pieces.push(piece as Buffer)
    bytes += (piece as Buffer).length
    if (bytes > maxBytes) throw new TooLarge()
  }
  return Buffer.concat(pieces, bytes)
}

function unansweredOf(error: unknown, { deadlineMs, maxBytes }: HttpGetOptions): Unanswered {
  if (error instanceof Unanswered) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  if (error instanceof TimedOut) return new Unanswered(`it does not answer within ${deadlineMs / 1000} s`, { cause: error })
  if (error instanceof TooLarge || code === 'ERR_BUFFER_TOO_LARGE')
    return new Unanswered(`its answer is larger than ${maxBytes / (1 << 20)} MiB`, { cause: error })
  if (code.startsWith('Z_')) return new Unanswered('its answer is no whole gzip', { cause: error })
  return new Unanswered(REASONS[code] ?? (code || message), { cause: error })
}
