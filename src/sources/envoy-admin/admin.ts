// GET at the admin port of an Envoy in the network namespace of its pod. By node:http, which takes a socket that is there.
import { request } from 'node:http'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { TimedOut, untilAborted, within } from '../../deadline.js'
import type { Clock } from '../../deps.js'
import type { NetworkNamespace } from '../../kernel/network-namespaces.js'
import type { Admin } from './source.js'

export interface AdminParts {
  /** The network namespace of the pod with this uid. */
  readonly openNamespace: (pod: string, signal: AbortSignal) => Promise<NetworkNamespace>
  /** From the way in to the last byte. */
  readonly deadlineMs: number
  /** Of an answer. */
  readonly maxBytes: number
}

type Asked = Parameters<Admin['get']>[0]
type Take = Parameters<Admin['get']>[1]

const OK = 200
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it hung up',
  EPERM: 'its network namespace may not be entered: that takes CAP_SYS_ADMIN',
  EACCES: 'its network namespace may not be opened: that takes CAP_SYS_PTRACE',
}

export function createAdmin({ openNamespace, deadlineMs, maxBytes }: AdminParts, { clock }: { readonly clock: Clock }): Admin {
  async function connect({ url, pod }: Asked, signal: AbortSignal): Promise<Socket> {
    const { hostname, port } = new URL(url)
    const namespace = await openNamespace(pod.uid, signal)
    try {
      const fd = namespace.connect({ family: hostname === '[::1]' ? 'ipv6' : 'ipv4', port: Number(port) })
      return new Socket({ fd })
    } finally {
      namespace.close()
    }
  }

  async function readAll(socket: Socket, url: string, take: Take): Promise<void> {
    const body = await answerOf(socket, url)
    let bytes = 0
    for await (const piece of body) {
      bytes += (piece as Buffer).length
      if (bytes > maxBytes) throw new Error(`its answer is larger than ${maxBytes / (1 << 20)} MiB`)
      await take(piece as Buffer)
    }
  }

  return {
    async get(asked, take, signal) {
      let socket: Socket | undefined
      try {
        await within(clock, { ms: deadlineMs, signal }, async (limited) => {
          socket = await connect(asked, limited)
          await untilAborted(readAll(socket, asked.url, take), limited)
        })
      } catch (error) {
        signal.throwIfAborted()
        throw reasonOf(error, deadlineMs)
      } finally {
        socket?.destroy()
      }
    },
  }
}

function answerOf(socket: Socket, url: string): Promise<Readable> {
  const { pathname, search, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const asking = request({ path: `${pathname}${search}`, headers: { host, 'user-agent': 'meshtoll' }, createConnection: () => socket })
    asking.on('error', reject)
    asking.once('response', (response) => {
      if (response.statusCode === OK) resolve(response)
      else reject(new Error(`it answers ${response.statusCode}`))
    })
    asking.end()
  })
}

/** In words that are the same for all who fail alike. */
function reasonOf(error: unknown, deadlineMs: number): Error {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (error instanceof TimedOut) return new Error(`it does not answer within ${deadlineMs / 1000} s`, { cause: error })
  return new Error(REASONS[code] ?? message, { cause: error })
}
