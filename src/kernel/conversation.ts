// Questions to the kernel and their answers, over a socket that is opened when first needed and again after a failure:
// what a broken dump left in the queue would stand in the way of the next.
import type { Netlink } from '../deps.js'
import { type Progress, RECEIVE_BYTES, readAnswers } from './answers.js'
import { EAGAIN, EINTR, KernelError } from './errors.js'
import { encodeMessage, type Message } from './message.js'

const ATTEMPTS = 10

export interface Question extends Message {
  /** For the error: "list the chains". */
  readonly attempt: string
}

export interface Conversation {
  /** The bodies of all answers. A dump that the kernel calls interrupted is asked for again. */
  ask(question: Question): readonly Buffer[]
  /** `pause` is awaited after every datagram that it returns a promise for. False when interrupted. */
  stream(question: Question, onAnswer: (buffer: Buffer, start: number, end: number) => void, pause: Pause): Promise<boolean>
  close(): void
}

export type Pause = () => Promise<void> | undefined

export function createConversation(open: () => Netlink): Conversation {
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES)
  let socket: Netlink | undefined
  let sequence = 0

  const begin = (question: Question): Progress => {
    socket ??= open()
    sequence = (sequence % 0x7fffffff) + 1
    socket.send(encodeMessage(question, sequence))
    return { sequence, attempt: question.attempt, done: false, interrupted: false }
  }
  const receive = ({ attempt }: Progress): number => {
    const length = socket?.receive(buffer) ?? 0
    if (length === 0) throw new KernelError(attempt, EAGAIN, 'no answer')
    return length
  }
  const close = (): void => {
    socket?.close()
    socket = undefined
  }

  const askOnce = (question: Question): readonly Buffer[] | undefined => {
    const bodies: Buffer[] = []
    const progress = begin(question)
    while (!progress.done) {
      readAnswers(buffer, receive(progress), progress, (start, end) => bodies.push(Buffer.from(buffer.subarray(start, end))))
    }
    return progress.interrupted ? undefined : bodies
  }

  return {
    ask(question) {
      try {
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          const bodies = askOnce(question)
          if (bodies) return bodies
        }
      } catch (error) {
        close()
        throw error
      }
      throw new KernelError(question.attempt, EINTR, 'it changed during every attempt')
    },
    async stream(question, onAnswer, pause) {
      try {
        const progress = begin(question)
        while (!progress.done) {
          readAnswers(buffer, receive(progress), progress, (start, end) => onAnswer(buffer, start, end))
          const wait = progress.done ? undefined : pause()
          if (wait) await wait
        }
        return !progress.interrupted
      } catch (error) {
        close()
        throw error
      }
    },
    close,
  }
}
