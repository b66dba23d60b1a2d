// Speaks with an API server as one identity, in JSON.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'

/** Whatever the API server keeps; what else it holds depends on its kind. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
}

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly labels?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject & { readonly code?: number; readonly reason?: string }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Client {
  /** Whatever it answers. */
  ask(method: Method, path: string, body?: object): Promise<Answer>
  /** The object that it answers with; any other status than 2xx is an ApiError. PATCH sends a merge patch. */
  send(method: Method, path: string, body?: object): Promise<KubeObject>
  /** Events until the server ends the watch, or `signal` does. */
  watch(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent>
  close(): void
}

export class ApiError extends Error {
  readonly status: number

  constructor(what: string, { status, body }: Answer) {
    super(`${what}: ${status} ${JSON.stringify(body)}`)
    this.status = status
  }
}

export interface Access {
  readonly url: string
  readonly caFile: string
  readonly token: string
}

const MERGE_PATCH = 'application/merge-patch+json'
const MAX_SOCKETS = 32

export function createClient({ url, caFile, token }: Access): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, ca: readFileSync(caFile) })

  async function open(method: Method, path: string, { body, signal }: { body?: object; signal?: AbortSignal }): Promise<IncomingMessage> {
    const payload = body && Buffer.from(JSON.stringify(body))
    const type = method === 'PATCH' ? MERGE_PATCH : 'application/json'
    const headers = {
      authorization: `Bearer ${token}`,
      // Node gives the body of a DELETE no length of its own.
      ...(payload && { 'content-type': type, 'content-length': payload.length }),
    }
    const sent = request(new URL(path, url), { method, agent, headers, ...(signal && { signal }) })
    sent.end(payload)
    const [response] = await once(sent, 'response')
    return response
  }

  async function ask(method: Method, path: string, body?: object): Promise<Answer> {
    const response = await open(method, path, body === undefined ? {} : { body })
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const isJson = response.headers['content-type']?.includes('json')
    return { status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text }
  }

  return {
    ask,
    async send(method, path, body) {
      const answer = await ask(method, path, body)
      if (answer.status >= 300) throw new ApiError(`${method} ${path}`, answer)
      return answer.body as KubeObject
    },
    async *watch(path, signal) {
      try {
        const response = await open('GET', path, { signal })
        for await (const line of linesOf(response)) yield JSON.parse(line) as WatchEvent
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
    close: () => agent.destroy(),
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
