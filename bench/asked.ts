// Programs of a bench inside a namespace: one JSON request a line on standard input, one JSON answer a line on standard output.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { inNamespace, nodeCommand } from '../src/lab/program.js'

export interface Asked<Request, Answer> {
  ask(request: Request): Promise<Answer>
  stop(): Promise<void>
}

export interface AskedOptions {
  readonly argument?: object
  /** The only one that it may run on. */
  readonly cpu?: number
}

/** `file` is one of this folder. Without a namespace it runs in the one of its caller. */
export function startAsked<Request, Answer>(
  namespace: string | undefined,
  file: string,
  { argument = {}, cpu }: AskedOptions = {},
): Asked<Request, Answer> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const pinned = cpu === undefined ? [] : ['taskset', '-c', String(cpu)]
  const argv = [...(namespace === undefined ? [] : inNamespace(namespace, [])), ...pinned, ...nodeCommand(path), JSON.stringify(argument)]
  const { stdin, stdout, exited } = spawnProgram(argv)
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    async ask(request) {
      stdin.write(`${JSON.stringify(request)}\n`)
      const { value } = await lines.next()
      if (value === undefined) throw new Error(`${file} ended`)
      return JSON.parse(value) as Answer
    },
    async stop() {
      stdin.end()
      await exited
    },
  }
}

function spawnProgram([command = '', ...rest]: readonly string[]) {
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  return { stdin: child.stdin, stdout: child.stdout, exited: once(child, 'close') }
}

/** The far side. */
export const argumentOf = (): unknown => JSON.parse(process.argv[2] ?? '{}')

export async function answerEach(answer: (request: never) => object | Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as never))}\n`)
  }
  process.exit(0)
}
