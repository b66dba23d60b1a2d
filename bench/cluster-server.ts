// An API server with such a cluster, a program: lists all in one answer as from its cache, takes any token for that of an agent, and restarts
// pods when it is asked to: each is deleted, and another one of its workload has its address.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerEach, argumentOf } from './asked.js'
import { type ClusterSize, collectionOf, podOf, replicaSetOf } from './cluster.js'

const STEP = 20
const AGENT = 'system:serviceaccount:meshtoll:meshtoll-agent'
const size = argumentOf() as ClusterSize
const BOOKMARK_EVERY_MS = 20_000
let podWatch: ServerResponse | undefined

async function list(response: ServerResponse, path: string): Promise<void> {
  const { count, at } = collectionOf(path, size)
  response.write('{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"999999"},"items":[')
  for (let start = 0; start < count; start += STEP) {
    const texts = Array.from({ length: Math.min(STEP, count - start) }, (_, index) => JSON.stringify(at(start + index)))
    if (!response.write(`${start === 0 ? '' : ','}${texts.join()}`)) await once(response, 'drain')
  }
  response.end(']}\n')
}

let lease: object | undefined
let version = 0

/** The one by which replicas elect: there is one replica, so nobody is ever overtaken. */
async function answerLease(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  if (chunks.length > 0) {
    const written = JSON.parse(Buffer.concat(chunks).toString()) as { readonly metadata: object }
    lease = { ...written, metadata: { ...written.metadata, resourceVersion: String(++version) } }
  }
  response.writeHead(lease ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify(lease ?? {}))
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server')
  if (pathname.includes('/leases/') || (pathname.endsWith('/leases') && request.method === 'POST')) return answerLease(request, response)
  response.writeHead(200, { 'content-type': 'application/json' })
  if (request.method === 'POST') {
    await once(request.resume(), 'end')
    return void response.end(JSON.stringify({ status: { authenticated: true, audiences: ['meshtoll'], user: { username: AGENT } } }))
  }
  if (pathname.includes('/replicasets/')) return void response.end(JSON.stringify(replicaSetOf(pathname.split('/').at(-1) ?? '')))
  if (!searchParams.has('watch')) return list(response, pathname)
  watch(response)
  if (pathname.endsWith('/pods')) podWatch = response
}

/** A real one says each minute that it is there (k8s.io/apiserver, cacher); who hears nothing for longer takes it for dead. */
function watch(response: ServerResponse): void {
  response.flushHeaders()
  const bookmark = `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '999999' } } })}\n`
  const bookmarks = setInterval(() => response.write(bookmark), BOOKMARK_EVERY_MS)
  response.on('close', () => clearInterval(bookmarks))
}

async function roll({ pods, everyMs }: { readonly pods: number; readonly everyMs: number }): Promise<void> {
  for (let index = 0; index < pods; index++) {
    const pod = index * Math.floor(size.pods / pods)
    const events = [
      { type: 'DELETED', object: podOf(pod, size) },
      { type: 'ADDED', object: podOf(pod, size, 1) },
    ]
    if (!podWatch?.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''))) await once(podWatch as ServerResponse, 'drain')
    if (index % STEP === STEP - 1) await new Promise((resolve) => setTimeout(resolve, everyMs * STEP))
  }
}

const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
await once(server, 'listening')
await answerEach(async (request: { readonly roll?: { readonly pods: number; readonly everyMs: number } }) => {
  if (request.roll) await roll(request.roll)
  return { port: (server.address() as AddressInfo).port }
})
