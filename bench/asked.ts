// Programs of a bench inside a namespace: one JSON request a line on standard input, one JSON answer a line on standard output.
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { nodeCommand, startIn } from '../src/lab/program.js'

export interface Asked<Request, Answer> {
  ask(request: Request): Promise<Answer>
  stop(): Promise<void>
}

export interface AskedOptions {
  readonly argument?: object
  /** The only one that it may run on. */
  readonly cpu?: number
}

/** `file` is one of this folder. */
export function startAsked<Request, Answer>(
  namespace: string,
  file: string,
  { argument = {}, cpu }: AskedOptions = {},
): Asked<Request, Answer> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const pinned = cpu === undefined ? [] : ['taskset', '-c', String(cpu)]
  const program = startIn(namespace, [...pinned, ...nodeCommand(path), JSON.stringify(argument)], { keepsOutput: false })
  const { stdin, stdout } = program.child
  if (!stdin || !stdout) throw new Error('a program is spoken to through pipes')
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    async ask(request) {
      stdin.write(`${JSON.stringify(request)}\n`)
      const { value } = await lines.next()
      if (value === undefined) throw new Error(`${namespace}: ${file} ended: ${program.stderr().trim()}`)
      return JSON.parse(value) as Answer
    },
    async stop() {
      stdin.end()
      await program.exited
    },
  }
}

/** The far side. */
export const argumentOf = (): unknown => JSON.parse(process.argv[2] ?? '{}')

export async function answerEach(answer: (request: never) => object | Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as never))}\n`)
  }
  process.exit(0)
}
