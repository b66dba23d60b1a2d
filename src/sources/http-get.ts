// GET over plain HTTP to many servers, such as the proxies of a node. Loaded only where there are any: its client takes some megabytes.
import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import request from 'undici/lib/api/api-request.js'
import Client from 'undici/lib/dispatcher/client.js'
import { TimedOut, untilAborted, within } from '../deadline.js'
import type { Deps } from '../deps.js'
import { createSlots } from '../slots.js'

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
  /**
   * What `read` makes of the pieces of a body of a 200, which are some 64 KiB each and come one in a turn of the loop, whoever's they are. What was
   * not taken yet waits where it comes from, so no number of long answers takes much memory. Rejects with Unanswered for whatever else, a failure of
   * `read` among it, and with the signal's reason when aborted.
   */
  read<T>(url: string, read: (pieces: AsyncIterable<string>) => Promise<T>, signal: AbortSignal, shown?: Shown): Promise<T>
  /** No more is asked there for now: ends its connection. */
  leave(url: string): void
  close(): Promise<void>
}

export interface Shown {
  /** As a bearer token. */
  readonly token?: string | undefined
  /** By basic authentication. */
  readonly user?: { readonly name: string; readonly password: string } | undefined
}

export interface HttpGetOptions {
  /** From the connection to the last byte. */
  readonly deadlineMs: number
  /** Of a body. */
  readonly maxBytes: number
}

const OK = 200
/** Longer than any interval that is usual; a pilot-agent keeps an idle connection for 90 s. */
const KEEP_ALIVE_MS = 85_000
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

export function createHttpGet({ deadlineMs, maxBytes }: HttpGetOptions, { clock }: Pick<Deps, 'clock'>): HttpGet {
  /** By URL: whoever fails loses the connection, and only its own. */
  const clients = new Map<string, Client>()
  /** To ask takes some tenths of a millisecond as well. */
  const oneAtATime = createSlots(1)
  const turn = (): Promise<void> => oneAtATime(() => turnOfTheLoop())

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
  }

  async function open(url: string, shown: Shown, signal: AbortSignal): Promise<Readable> {
    const { pathname, search } = new URL(url)
    const asked = request.call(clientOf(url), {
      path: `${pathname}${search}`,
      method: 'GET',
      headers: { accept: 'text/plain', 'user-agent': 'meshtoll', ...authorizationOf(shown) },
      signal,
    })
    // undici does not notice an abort while it connects.
    const { statusCode, body } = await untilAborted(asked, signal)
    if (statusCode !== OK) throw new Unanswered(`it answers ${statusCode}`, { status: statusCode })
    return body
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
    read: (url, read, signal, shown = {}) =>
      answered(url, signal, async (limited) => {
        await turn()
        const body = await open(url, shown, limited)
        return read(textsOf(body, { maxBytes, turn }))
      }),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.destroy()))
      clients.clear()
    },
  }
}

function authorizationOf({ token, user }: Shown): Readonly<Record<string, string>> {
  if (user) return { authorization: `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}` }
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

class TooLarge extends Error {}

interface Reading {
  readonly maxBytes: number
  readonly turn: () => Promise<void>
}

async function* textsOf(body: Readable, { maxBytes, turn }: Reading): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const piece of body) {
    bytes += (piece as Buffer).length
    if (bytes > maxBytes) throw new TooLarge()
    await turn()
    yield decoder.decode(piece as Buffer, { stream: true })
  }
}

function unansweredOf(error: unknown, { deadlineMs, maxBytes }: HttpGetOptions): Unanswered {
  if (error instanceof Unanswered) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  if (error instanceof TimedOut) return new Unanswered(`it does not answer within ${deadlineMs / 1000} s`, { cause: error })
  if (error instanceof TooLarge) return new Unanswered(`its answer is larger than ${maxBytes / (1 << 20)} MiB`, { cause: error })
  return new Unanswered(REASONS[code] ?? (code || message), { cause: error })
}
