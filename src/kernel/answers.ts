// One datagram holds one or more messages; several datagrams answer a dump.
import { KernelError } from './errors.js'
import { align, attributesOf, HEADER_BYTES, NLM_F_DUMP_INTR, NLM_F_MULTI, textOf } from './message.js'

export const RECEIVE_BYTES = 65536

const NLMSG_NOOP = 1
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200
const NLMSGERR_ATTR_MSG = 1
const NLMSGERR_ATTR_OFFS = 2

export interface Progress {
  /** Which question is answered; what is left over from another is passed by. */
  readonly sequence: number
  readonly attempt: string
  done: boolean
  /** The kernel's tables changed under the dump, which may have missed or repeated something. */
  interrupted: boolean
}

/** Hands on every answer in the datagram: the bytes from `start` to `end` after its header. Throws the kernel's refusal. */
export function readAnswers(datagram: Buffer, length: number, progress: Progress, onAnswer: (start: number, end: number) => void): void {
  for (let at = 0; at + HEADER_BYTES <= length && !progress.done; ) {
    const size = datagram.readUInt32LE(at)
    if (size < HEADER_BYTES || at + size > length) return
    if (datagram.readUInt32LE(at + 8) === progress.sequence)
      readAnswer(datagram.subarray(at, at + size), progress, () => onAnswer(at + HEADER_BYTES, at + size))
    at += align(size)
  }
}

function readAnswer(message: Buffer, progress: Progress, onAnswer: () => void): void {
  const type = message.readUInt16LE(4)
  const flags = message.readUInt16LE(6)
  if (flags & NLM_F_DUMP_INTR) progress.interrupted = true
  progress.done = type === NLMSG_DONE || type === NLMSG_ERROR || !(flags & NLM_F_MULTI)
  if (type === NLMSG_ERROR || type === NLMSG_DONE) {
    const refusal = refusalOf(message)
    if (refusal) throw new KernelError(progress.attempt, refusal.errno, refusal.detail)
    return
  }
  if (type !== NLMSG_NOOP) onAnswer()
}

export interface Refusal {
  readonly errno: number
  readonly detail: string
}

/** Undefined for an acknowledgement, and for a dump that ended well. */
export function refusalOf(message: Buffer): Refusal | undefined {
  if (message.length < HEADER_BYTES + 4) return undefined
  const errno = -message.readInt32LE(HEADER_BYTES)
  if (errno === 0) return undefined
  const { words, offset } = extendedAck(message)
  return { errno, detail: [words, offset ? `attribute at byte ${offset}` : ''].filter(Boolean).join(', ') }
}

/** The kernel's own words (NETLINK_EXT_ACK), and where in the request it stopped. */
function extendedAck(message: Buffer): { words: string; offset: number } {
  const flags = message.readUInt16LE(6)
  if (!(flags & NLM_F_ACK_TLVS)) return { words: '', offset: 0 }
  const error = HEADER_BYTES + 4
  const isDone = message.readUInt16LE(4) === NLMSG_DONE
  // struct nlmsgerr repeats the header of the request, and all of it unless NLM_F_CAPPED; NLMSG_DONE repeats nothing.
  const echoed = isDone ? 0 : flags & NLM_F_CAPPED ? HEADER_BYTES : align(message.readUInt32LE(error))
  const found = attributesOf(message.subarray(error + echoed))
  const offset = found.get(NLMSGERR_ATTR_OFFS)
  return { words: textOf(found.get(NLMSGERR_ATTR_MSG)), offset: offset ? offset.readUInt32LE(0) : 0 }
}

/** Of which request an error or acknowledgement speaks. */
export const isVerdict = (message: Buffer): boolean => message.readUInt16LE(4) === NLMSG_ERROR
