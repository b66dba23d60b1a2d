// The near side of a peer: starts the program in its namespace and turns its lines into functions.
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Answer, Counts, Exchange, Paced, Relay, Reply, Requests, TcpListen, TcpSend, UdpListen, UdpSend } from './peer-protocol.js'
import { nodeCommand, startIn } from './program.js'

/** Something that goes on in a peer until it is closed. */
export interface Running {
  counts(): Promise<Counts>
  /** The last counts; a paced TCP stream ends when the other side has read everything. */
  close(): Promise<Counts>
}

export interface Peer {
  readonly pid: number
  listenTcp(request: TcpListen): Promise<Running>
  listenUdp(request: UdpListen): Promise<Running>
  sendTcp(request: TcpSend): Promise<Counts>
  exchange(request: Exchange): Promise<Counts>
  sendUdp(request: UdpSend): Promise<Counts>
  pace(request: Paced): Promise<Running>
  /** A unix socket by which the world reaches a port of this namespace: `http.request({ socketPath })`. Answers its path. */
  relay(request: Omit<Relay, 'path'>): Promise<string>
  stop(): Promise<void>
}

type Ask = <Name extends keyof Requests>(name: Name, request: Requests[Name]) => Promise<Reply>

export function startPeer(namespace: string): Peer {
  const { ask, pid, stop } = startProgram(namespace)
  const running = async <Name extends keyof Requests>(name: Name, request: Requests[Name]): Promise<Running> => {
    const handle = handleOf(await ask(name, request))
    return {
      counts: async () => countsOf(await ask('counts', { handle })),
      close: async () => countsOf(await ask('close', { handle })),
    }
  }
  return {
    pid,
    stop,
    listenTcp: (request) => running('listenTcp', request),
    listenUdp: (request) => running('listenUdp', request),
    pace: (request) => running('pace', request),
    sendTcp: async (request) => countsOf(await ask('sendTcp', request)),
    sendUdp: async (request) => countsOf(await ask('sendUdp', request)),
    exchange: async (request) => countsOf(await ask('exchange', request)),
    async relay(request) {
      const path = `/run/lab/${namespace}-${request.port}.sock`
      await ask('relay', { ...request, path })
      return path
    },
  }
}

function startProgram(namespace: string): { readonly ask: Ask; readonly pid: number; stop(): Promise<void> } {
  const path = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'peer.ts' : 'peer.js', import.meta.url))
  const program = startIn(namespace, nodeCommand(path), { keepsOutput: false })
  const waiting = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>()
  let last = 0
  const { stdin, stdout } = program.child
  if (!stdin || !stdout) throw new Error('a peer is spoken to through pipes')

  createInterface({ input: stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer
    const one = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) one?.reject(new Error(`${namespace}: ${answer.error}`))
    else one?.resolve(answer.reply)
  })
  void program.exited
    .catch(() => undefined)
    .then(() => {
      for (const one of waiting.values()) one.reject(new Error(`${namespace}: the peer ended: ${program.stderr().trim()}`))
      waiting.clear()
    })
  return {
    pid: program.pid,
    ask: (name, request) =>
      new Promise((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve, reject })
        stdin.write(`${JSON.stringify({ id, [name]: request })}\n`)
      }),
    async stop() {
      stdin.end()
      await program.exited
    },
  }
}

function countsOf(reply: Reply): Counts {
  if ('counts' in reply) return reply.counts
  throw new Error('a peer answered a handle where counts were due')
}

function handleOf(reply: Reply): number {
  if ('handle' in reply) return reply.handle
  throw new Error('a peer answered counts where a handle was due')
}
