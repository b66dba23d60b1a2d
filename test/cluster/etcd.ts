// etcd on a free port of the loopback, without a sync per write: what it holds ends with the test.
import { join } from 'node:path'
import { programOf } from '../peers/needed.js'
import { onFreePort } from './port.js'
import { type Server, startServer } from './server.js'

export interface Etcd {
  readonly url: string
  readonly server: Server
  /** Throws away all history: watches and lists of any revision before now end with "compacted". */
  compact(): Promise<void>
}

const HOST = '127.0.0.1'
/** The kernel chooses: no other member ever asks for this one. */
const PEERS = `http://${HOST}:0`

export async function startEtcd(folder: string): Promise<Etcd> {
  const start = async (port: number): Promise<Server> => {
    const server = startServer([programOf('etcd'), ...flagsOf(folder, urlOf(port))], join(folder, 'etcd.log'))
    await server.ready(() => isHealthy(urlOf(port)))
    return server
  }
  const { started: server, port } = await onFreePort(HOST, start)
  const url = urlOf(port)

  /** Of the JSON gateway to etcd's gRPC API; numbers of 64 bits are strings in it. */
  async function call(path: string, body: object): Promise<{ readonly header?: { readonly revision?: string } }> {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`etcd: POST ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Awaited<ReturnType<typeof call>>
  }

  return {
    url,
    server,
    async compact() {
      const { header } = await call('/v3/kv/range', { key: Buffer.from('none').toString('base64') })
      await call('/v3/kv/compaction', { revision: header?.revision, physical: true })
    },
  }
}

const urlOf = (port: number): string => `http://${HOST}:${port}`

const flagsOf = (folder: string, url: string): string[] => [
  `--data-dir=${join(folder, 'etcd')}`,
  `--listen-client-urls=${url}`,
  `--advertise-client-urls=${url}`,
  `--listen-peer-urls=${PEERS}`,
  '--unsafe-no-fsync',
]

async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health`).catch(() => undefined)
  return answer?.ok ?? false
}
