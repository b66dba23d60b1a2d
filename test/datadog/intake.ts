// The judge behind HTTP, and all that can go wrong on the way to it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { createJudge, type Judge, type JudgeOptions } from './judge.js'

/** `keeps`: the request was taken all the same. */
export type Fault =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly text?: string
      readonly keeps?: boolean
    }
  | { readonly kind: 'reset' | 'hang'; readonly keeps: boolean }

export interface TestIntake extends Judge {
  readonly url: string
  /** What goes wrong with a request; undefined: nothing. */
  fault: (request: number) => Fault | undefined
  readonly requests: number
  readonly connections: number
}

export async function startIntake(t: Pick<Test, 'teardown'>, options: JudgeOptions): Promise<TestIntake> {
  const judge = createJudge(options)
  let requests = 0
  let connections = 0
  const server = createServer((request, response) => void answer(request, response))
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const intake: TestIntake = {
    ...judge,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: () => undefined,
    get requests() {
      return requests
    },
    get connections() {
      return connections
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const fault = intake.fault(requests++)
    if (!fault || fault.keeps) {
      const refused = judge.take(request, Buffer.concat(pieces))
      if (!fault) return say(response, { status: refused?.status ?? 202, body: { errors: refused ? [refused.why] : [] } })
    }
    if (fault.kind === 'reset') request.socket.destroy()
    if (fault.kind === 'answer') {
      const { status, headers, text } = fault
      say(response, { status, headers, body: { errors: ['a fault of the test'] }, text })
    }
  }

  return intake
}

interface Said {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body: unknown
  readonly text?: string | undefined
}

function say(response: ServerResponse, { status, headers = {}, body, text }: Said): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(text ?? JSON.stringify(body))
}
