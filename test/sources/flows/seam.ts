// The netlink of the tests: real, but for what a test does to a message on its way.
import type { Netlink, OpenNetlink } from '../../../src/deps.js'

export interface Seam {
  readonly send?: (message: Buffer) => Buffer
  readonly sent?: (message: Buffer) => void
  readonly receive?: () => void
  /** May change a datagram. False: it is lost, and the next one comes instead. */
  readonly received?: (datagram: Buffer) => boolean
}

export const through =
  (
    open: OpenNetlink,
    { send = (message) => message, sent = () => undefined, receive = () => undefined, received = () => true }: Seam,
  ): OpenNetlink =>
  (protocol, groups) => {
    const socket: Netlink = open(protocol, groups)
    return {
      send(message) {
        socket.send(send(Buffer.from(message)))
        sent(Buffer.from(message))
      },
      receive(buffer) {
        receive()
        for (;;) {
          const length = socket.receive(buffer)
          if (length === 0 || received(buffer.subarray(0, length))) return length
        }
      },
      close: () => socket.close(),
    }
  }
