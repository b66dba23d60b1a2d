// The netlink of the tests: real, but for what a test does to a message on its way.
import type { Netlink, OpenNetlink } from '../../../src/deps.js'

export interface Seam {
  readonly send?: (message: Buffer) => Buffer
  readonly sent?: (message: Buffer) => void
  readonly receive?: () => void
}

export const through =
  (open: OpenNetlink, { send = (message) => message, sent = () => undefined, receive = () => undefined }: Seam): OpenNetlink =>
  (protocol, groups) => {
    const socket: Netlink = open(protocol, groups)
    return {
      send(message) {
        socket.send(send(Buffer.from(message)))
        sent(Buffer.from(message))
      },
      receive(buffer) {
        receive()
        return socket.receive(buffer)
      },
      close: () => socket.close(),
    }
  }
