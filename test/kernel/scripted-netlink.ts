// A kernel that answers as told: each entry of the script is what one `send` is answered with.
import type { Netlink, OpenNetlink } from '../../src/deps.js'
import { KernelError } from '../../src/kernel/errors.js'
import { encodeMessage } from '../../src/kernel/message.js'

const NLMSG_ERROR = 2
const NLMSG_DONE = 3
export const MULTI = 2
export const DUMP_INTR = 0x10
const CAPPED_WITH_WORDS = 0x300

/** Datagrams to receive, made from the sequence number of the request; an error instead of one is thrown by `receive`. */
export type Answer = (sequence: number, request: Buffer) => readonly (Buffer | KernelError)[]

export interface Script {
  readonly open: OpenNetlink
  readonly sent: Buffer[]
  opened: number
  closed: number
}

export function scripted(...answers: readonly Answer[]): Script {
  const script: Script = { open: () => socket(), sent: [], opened: 0, closed: 0 }
  let next = 0
  const socket = (): Netlink => {
    script.opened++
    const queue: (Buffer | KernelError)[] = []
    return {
      send(message) {
        const request = Buffer.from(message)
        script.sent.push(request)
        queue.push(...(answers[next++]?.(request.readUInt32LE(8), request) ?? []))
      },
      receive(buffer) {
        const datagram = queue.shift()
        if (datagram instanceof KernelError) throw datagram
        return datagram?.copy(buffer) ?? 0
      },
      close() {
        script.closed++
      },
    }
  }
  return script
}

const int32 = (value: number): Buffer => {
  const data = Buffer.alloc(4)
  data.writeInt32LE(value)
  return data
}

export const answer = (sequence: number, body: Uint8Array, flags = 0): Buffer => encodeMessage({ type: 0xa00, flags, body }, sequence)

export const done = (sequence: number, errno = 0, flags = MULTI): Buffer =>
  encodeMessage({ type: NLMSG_DONE, flags, body: int32(-errno) }, sequence)

/** As with NETLINK_CAP_ACK: of the refused request only its header comes back. Errno 0 acknowledges. */
export function refusal(sequence: number, errno: number, words: readonly Uint8Array[] = []): Buffer {
  const body = Buffer.concat([int32(-errno), Buffer.alloc(16), ...words])
  return encodeMessage({ type: NLMSG_ERROR, flags: words.length > 0 ? CAPPED_WITH_WORDS : 0, body }, sequence)
}
