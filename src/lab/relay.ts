// From the machine into a namespace of the world, for a browser or curl:
//   127.0.0.1:port of the machine -> unix socket in the world (Peer.relay) -> 127.0.0.1:port of the namespace
import { connect, createServer, Server } from 'node:net'

export interface Published {
  /** From Peer.relay(). */
  readonly path: string
  /** Of the machine; 0, the default, takes a free one. */
  readonly port?: number
  readonly host?: string
}

interface Opened {
  readonly id: number
  readonly opened?: number
  readonly error?: string
}

/** Inside a world that was entered by enterWorld(), which opens the port outside and hands the socket in. Answers the port. */
export async function publish({ path, port = 0, host = '127.0.0.1' }: Published): Promise<number> {
  const { server, opened } = await openOutside(port, host)
  server.on('connection', (near) => {
    const far = connect({ path })
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  return opened
}

interface Outside {
  readonly server: Server
  readonly opened: number
}

function openOutside(port: number, host: string): Promise<Outside> {
  const id = Math.random()
  return new Promise((resolve, reject) => {
    const receive = (message: unknown, handle: unknown): void => {
      const { opened, error, id: answered } = message as Opened
      if (answered !== id) return
      process.off('message', receive)
      if (handle instanceof Server && opened !== undefined) resolve({ server: handle, opened })
      else reject(new Error(`${host}:${port}: ${error ?? 'not opened'}`))
    }
    if (!process.send) return reject(new Error('nobody outside of this world opens ports for it'))
    process.on('message', receive)
    process.send({ id, port, host })
  })
}

/** Outside: `send` answers the messages of openOutside(). */
export function openPort(message: unknown, send: (answer: Opened, server?: Server, sent?: () => void) => void): void {
  const { id, port, host } = message as { readonly id: number; readonly port: number; readonly host: string }
  const server = createServer()
  server.once('error', (error) => send({ id, error: error.message }))
  server.listen(port, host, () => {
    const address = server.address()
    const opened = typeof address === 'object' && address ? address.port : port
    send({ id, opened }, server, () => server.close())
  })
}
