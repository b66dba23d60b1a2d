// All or nothing: a batch of commands, of which the last asks for an acknowledgement (net/netfilter/nfnetlink.c: nfnetlink_rcv_batch).
import type { Netlink } from '../deps.js'
import { isVerdict, RECEIVE_BYTES, type Refusal, refusalOf } from './answers.js'
import type { Command } from './commands.js'
import { EAGAIN, KernelError } from './errors.js'
import { align, encodeMessage, HEADER_BYTES, type Message } from './message.js'
import { acknowledged, BATCH_BEGIN, BATCH_END, encodeCommand, nameOf } from './nftables-encode.js'

interface Verdict {
  readonly sequence: number
  readonly refusal: Refusal | undefined
}

export interface Transactions {
  commit(commands: readonly Command[]): void
  close(): void
}

/** One socket for all of them, kept until `close`: a table with an owner belongs to the socket that wrote it. */
export function createTransactions(open: () => Netlink): Transactions {
  let socket: Netlink | undefined
  let sequence = 0
  return {
    commit(commands) {
      if (commands.length === 0) return
      socket ??= open()
      const first = sequence + 1
      const messages = commands.flatMap((command) => encodeCommand(command).map((message) => ({ message, attempt: nameOf(command) })))
      sequence = first + messages.length + 1
      socket.send(
        encodeBatch(
          messages.map(({ message }) => message),
          first,
        ),
      )
      judge(
        readVerdicts(socket, first),
        messages.map(({ attempt }) => attempt),
        first,
      )
    },
    close() {
      socket?.close()
      socket = undefined
    },
  }
}

function encodeBatch(messages: readonly Message[], first: number): Buffer {
  const all = [
    BATCH_BEGIN,
    ...messages.map((message, index) => (index === messages.length - 1 ? acknowledged(message) : message)),
    BATCH_END,
  ]
  return Buffer.concat(all.map((message, index) => encodeMessage(message, first + index)))
}

/** Everything that waits: the kernel queues its verdicts before `send` returns. Older ones, left by a failure, are passed by. */
function readVerdicts(socket: Netlink, first: number): readonly Verdict[] {
  const buffer = Buffer.allocUnsafe(RECEIVE_BYTES)
  const verdicts: Verdict[] = []
  for (let length = socket.receive(buffer); length > 0; length = socket.receive(buffer)) {
    for (let at = 0; at + HEADER_BYTES <= length; ) {
      const size = buffer.readUInt32LE(at)
      if (size < HEADER_BYTES || at + size > length) break
      const message = buffer.subarray(at, at + size)
      const sequence = message.readUInt32LE(8)
      if (isVerdict(message) && sequence >= first) verdicts.push({ sequence, refusal: refusalOf(message) })
      at += align(size)
    }
  }
  return verdicts
}

/** The begin of the batch has the first sequence number, its commands the ones after it. */
function judge(verdicts: readonly Verdict[], attempts: readonly string[], first: number): void {
  const refused = verdicts.filter(({ refusal }) => refusal).sort((a, b) => b.sequence - a.sequence)
  const blamed = refused.filter(({ sequence }) => sequence > first).at(-1) ?? refused[0]
  if (blamed?.refusal) {
    const attempt = attempts[blamed.sequence - first - 1] ?? 'commit to nftables'
    throw new KernelError(attempt, blamed.refusal.errno, blamed.refusal.detail)
  }
  if (verdicts.length === 0) throw new KernelError('commit to nftables', EAGAIN, 'no answer')
}
