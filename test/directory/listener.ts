// An agent, as far as the directory is concerned: asks over HTTP or HTTPS, and keeps what it is told.
import { once } from 'node:events'
import { type IncomingMessage, type RequestOptions as PlainOptions, request as requestPlain } from 'node:http'
import { type RequestOptions, request as requestSecure } from 'node:https'
import { linesOf } from '../../src/kube/lines.js'

export interface Place {
  readonly url: string
  readonly ca?: string
}

export interface TenancyTold {
  readonly address: string
  readonly key: string
  readonly node: string
  readonly name: string
  readonly untilMs: number | null
}

export interface LineTold {
  readonly session?: string
  readonly instance?: string
  readonly revision?: number
  readonly nodes?: readonly { readonly name: string; readonly covers: boolean }[]
  readonly tenancies?: readonly TenancyTold[]
  readonly ranges?: readonly { readonly cidr: string; readonly node: string }[]
  readonly zones?: readonly object[]
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export interface Listener {
  readonly session: string
  readonly instance: string
  /** From which on it was told. */
  readonly since: number
  /** Of the last line with nothing else. */
  readonly revision: number
  readonly lines: readonly LineTold[]
  /** The last of each address and key. */
  readonly tenancies: ReadonlyMap<string, TenancyTold>
  readonly covers: ReadonlyMap<string, boolean>
  /** Rejects when it is not so within some seconds. */
  until(what: string, isSo: (listener: Listener) => boolean): Promise<void>
  /** Stops reading from the wire. */
  pause(): void
  goOn(): void
  readonly ended: Promise<'ended' | 'broken'>
  close(): void
}

const WITHIN_MS = 20_000

export interface Asked {
  readonly token?: string | undefined
  /** As it is, or made JSON. */
  readonly body: object | string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export async function post(place: Place, path: string, asked: Asked): Promise<Answered> {
  const response = await send(place, path, asked)
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece)
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(pieces).toString() }
}

/** Resolves after the first line. Rejects with any other answer than 200. */
export async function listen(place: Place, asked: Asked): Promise<Listener> {
  const response = await send(place, '/v1/watch', asked)
  if (response.statusCode !== 200) throw new Error(`/v1/watch: ${response.statusCode}`)
  const listener = createListener(response)
  await listener.until('a first line', ({ lines }) => lines.length > 0)
  return listener
}

async function send({ url, ca }: Place, path: string, { token, body, headers }: Asked): Promise<IncomingMessage> {
  const payload = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const request = url.startsWith('https:') ? requestSecure : requestPlain
  const options: RequestOptions & PlainOptions = {
    method: 'POST',
    agent: false,
    ...(ca === undefined ? {} : { ca }),
    headers: { 'content-length': payload.length, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
  }
  const sent = request(`${url}${path}`, options)
  sent.end(payload)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}

function createListener(response: IncomingMessage): Listener {
  const lines: LineTold[] = []
  const tenancies = new Map<string, TenancyTold>()
  const covers = new Map<string, boolean>()
  const looking = new Set<() => void>()
  let revision = 0

  function hear(line: LineTold): void {
    lines.push(line)
    for (const tenancy of line.tenancies ?? []) tenancies.set(`${tenancy.address} ${tenancy.key}`, tenancy)
    for (const { name, covers: does } of line.nodes ?? []) covers.set(name, does)
    if (line.session === undefined) revision = line.revision ?? revision
    for (const look of looking) look()
  }

  const ended = (async () => {
    for await (const line of linesOf(response)) hear(JSON.parse(line) as LineTold)
    return 'ended' as const
  })().catch(() => 'broken' as const)

  const listener: Listener = {
    get session() {
      return lines[0]?.session ?? ''
    },
    get instance() {
      return lines[0]?.instance ?? ''
    },
    get since() {
      return lines[0]?.revision ?? -1
    },
    get revision() {
      return revision
    },
    lines,
    tenancies,
    covers,
    until: (what, isSo) =>
      new Promise((resolve, reject) => {
        const late = (): void => reject(new Error(`${what}: not within ${WITHIN_MS} ms; ${JSON.stringify(lines.slice(-8))}`))
        const timer = setTimeout(late, WITHIN_MS)
        const look = (): void => {
          if (!isSo(listener)) return
          clearTimeout(timer)
          looking.delete(look)
          resolve()
        }
        looking.add(look)
        look()
      }),
    pause: () => response.socket.pause(),
    goOn: () => response.socket.resume(),
    ended,
    close: () => response.destroy(),
  }
  return listener
}
