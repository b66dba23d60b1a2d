// A proxy that knows CONNECT and nothing else, and brings whoever is asked for to where the test says.
import { connect, createServer } from 'node:net'
import type { Test } from 'tap'

export interface TestProxy {
  readonly url: string
  /** First lines and authorizations of what it was asked. */
  readonly asked: readonly string[]
}

export interface TestProxyOptions {
  /** Of this machine, where all tunnels lead. */
  readonly port: number
  /** In the place of a tunnel; '' hangs up. */
  readonly answers?: string
}

export async function startProxy(t: Pick<Test, 'teardown'>, { port, answers }: TestProxyOptions): Promise<TestProxy> {
  const asked: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (head) => {
      const [first = '', ...lines] = head.toString().split('\r\n')
      asked.push([first, ...lines.filter((line) => /^proxy-authorization/i.test(line))].join(' '))
      if (answers !== undefined) return void socket.end(answers)
      const there = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        socket.pipe(there).pipe(socket)
      })
      there.on('error', () => socket.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked }
}
