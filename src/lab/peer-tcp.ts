// TCP of a peer: a sink, a responder, bulk, many short connections, a steady stream.
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net'
import {
  type Activity,
  type Counts,
  type Exchange,
  emptyTally,
  type Paced,
  type Relay,
  type Tally,
  type TcpListen,
  type TcpSend,
} from './peer-protocol.js'

const CHUNK = Buffer.alloc(1 << 20)
const TICK_MS = 20

const now = (): number => performance.now() / 1_000
const since = (tally: Tally, start: number): Counts => ({ ...tally, seconds: now() - start })

export async function listenTcp({ port, host, request, response = 0 }: TcpListen): Promise<Activity> {
  const tally = emptyTally()
  const start = now()
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    tally.connections++
    if (request === undefined) socket.resume()
    else respond(socket, { request, response })
    socket.on('error', () => {
      tally.failed++
    })
    socket.once('close', () => {
      open.delete(socket)
      tally.receivedBytes += socket.bytesRead
      tally.sentBytes += socket.bytesWritten
    })
  })
  // Without a host: every address, IPv6 included where the kernel has it.
  server.listen({ port, backlog: 4096, ...(host === undefined ? {} : { host }) })
  await once(server, 'listening')
  return {
    counts() {
      const sum = (key: 'bytesRead' | 'bytesWritten'): number => [...open].reduce((bytes, socket) => bytes + socket[key], 0)
      const received = tally.receivedBytes + sum('bytesRead')
      return since({ ...tally, receivedBytes: received, sentBytes: tally.sentBytes + sum('bytesWritten') }, start)
    },
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function respond(socket: Socket, { request, response }: { readonly request: number; readonly response: number }): void {
  const answer = Buffer.alloc(response)
  let waiting = 0
  socket.on('data', (chunk) => {
    for (waiting += chunk.length; waiting >= request; waiting -= request) socket.write(answer)
  })
}

export async function sendTcp({ to, port, from, bytes, streams = 1 }: TcpSend): Promise<Counts> {
  const tally = emptyTally()
  const start = now()
  const share = Math.floor(bytes / streams)
  const shares = Array.from({ length: streams }, (_, index) => share + (index === 0 ? bytes - share * streams : 0))
  await Promise.all(shares.map((size) => sendOne(target(to, port, from), size, tally)))
  return since(tally, start)
}

async function sendOne(options: NetConnectOpts, bytes: number, tally: Tally): Promise<void> {
  const socket = connect(options)
  await once(socket, 'connect')
  tally.connections++
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    if (!socket.write(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK)) await once(socket, 'drain')
  }
  await finish(socket, tally)
}

/** After 'close' the other end has read everything and closed too. */
async function finish(socket: Socket, tally: Tally): Promise<void> {
  const closed = once(socket, 'close')
  socket.resume().end()
  await closed
  tally.sentBytes += socket.bytesWritten
  tally.receivedBytes += socket.bytesRead
}

export async function exchange({ to, port, from, connections, request, response, parallel = 16 }: Exchange): Promise<Counts> {
  const tally = emptyTally()
  const start = now()
  const question = Buffer.alloc(request)
  let left = connections
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      await exchangeOne({ options: target(to, port, from), question, response }, tally).catch(() => {
        tally.failed++
      })
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return since(tally, start)
}

interface Question {
  readonly options: NetConnectOpts
  readonly question: Buffer
  readonly response: number
}

async function exchangeOne({ options, question, response }: Question, tally: Tally): Promise<void> {
  const socket = connect(options)
  const closed = once(socket, 'close')
  const answered = (): unknown => (socket.bytesRead >= response ? socket.end() : undefined)
  socket.on('data', answered).write(question, response === 0 ? answered : undefined)
  await closed
  tally.connections++
  tally.sentBytes += socket.bytesWritten
  tally.receivedBytes += socket.bytesRead
  if (socket.bytesRead < response) tally.failed++
}

export async function paceTcp({ to, port, from, bytesPerSecond }: Paced): Promise<Activity> {
  const tally = emptyTally()
  const start = now()
  const socket = connect(target(to, port, from))
  await once(socket, 'connect')
  tally.connections++
  socket.on('error', () => {
    tally.failed++
  })
  let sent = 0
  const timer = setInterval(() => {
    // What a stalled connection missed is not made up for at once.
    const due = Math.min((now() - start) * bytesPerSecond - sent, CHUNK.length)
    if (due < 1 || socket.writableNeedDrain || !socket.writable) return
    sent += Math.floor(due)
    socket.write(CHUNK.subarray(0, Math.floor(due)))
  }, TICK_MS)
  return {
    counts: () => since({ ...tally, sentBytes: tally.sentBytes || socket.bytesWritten - socket.writableLength }, start),
    async close() {
      clearInterval(timer)
      if (socket.destroyed) tally.sentBytes = socket.bytesWritten
      else await finish(socket, tally)
    },
  }
}

/** Accepts on a unix socket, which has a path and no network namespace, and connects to a port of this one. */
export async function relay({ path, port, host = '127.0.0.1' }: Relay): Promise<Activity> {
  const start = now()
  const tally = emptyTally()
  const server = createServer((near) => {
    tally.connections++
    const far = connect({ port, host })
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  rmSync(path, { force: true })
  server.listen(path)
  await once(server, 'listening')
  return {
    counts: () => since(tally, start),
    close() {
      server.close()
    },
  }
}

const target = (host: string, port: number, from: string | undefined): NetConnectOpts => ({
  host,
  port,
  noDelay: true,
  ...(from === undefined ? {} : { localAddress: from }),
})
